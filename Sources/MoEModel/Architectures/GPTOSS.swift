import ModelFiles

extension Architecture {
    /// gpt-oss (OpenAI 2025): attention sinks, every other layer with a window, biases everywhere,
    /// and experts with a clamped activation.
    ///
    /// Its GGUF files do not say that YaRN's blend is not rounded to whole pairs.
    static var gptOSS: Architecture {
        Architecture(
            ggufName: "gpt-oss", modelType: "gpt_oss",
            gguf: .gguf.replacing([
                .feedForwardNorm: [
                    "blk.{layer}.post_attention_norm.weight", Weight.feedForwardNorm.rawValue,
                ]
            ]),
            huggingFace: .huggingFace.replacing([
                .router: [WeightNames.layer("mlp.router.weight")]
            ])
        ) { (reader) throws(ModelFileError) in
            var attention = try reader.groupedQuery()
            attention.hasSinks = true
            var rotary = try reader.rotary()
            rotary.defaultBase = 150_000
            rotary.truncatesByDefault = !reader.settings.isGGUF
            var model = try reader.model(
                attention: .groupedQuery(attention),
                rotary: try rotary.configuration(headSize: attention.headSize, pairing: .halves),
                epsilon: 1e-5)
            if let window = try reader.optionalSize(.window, limit: ModelLimits.context) {
                model.setWindow(
                    window, where: try reader.slidingLayers(model.layers) { $0 % 2 == 0 })
            }
            try reader.setRotaries(rotary, headSize: attention.headSize, in: &model)
            var experts = try reader.experts(normalizesByDefault: true)
            // A softmax of the chosen is a softmax of all, normalised over the chosen.
            experts?.normalizesWeights = true
            experts?.activation = .clampedSwiGLU(
                alpha: Float(try reader.settings.number(.clampedAlpha) ?? 1.702),
                limit: Float(try reader.settings.number(.clampedLimit) ?? 7))
            model.setExperts(experts)
            return model
        }
    }
}
