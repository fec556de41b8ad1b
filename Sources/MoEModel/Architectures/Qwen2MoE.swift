import ModelFiles

extension Architecture {
    /// Qwen 1.5 and 2 MoE: biases on query, key and value, and a shared expert behind a sigmoid.
    ///
    /// Its GGUF files do not say that weights are not normalised.
    static var qwen2MoE: Architecture {
        Architecture(
            ggufName: "qwen2moe", modelType: "qwen2_moe", huggingFace: qwen2MoENames
        ) { (reader) throws(ModelFileError) in
            let attention = try reader.groupedQuery()
            let rotary = try reader.rotary()
            var model = try reader.model(
                attention: .groupedQuery(attention),
                rotary: try rotary.configuration(headSize: attention.headSize, pairing: .halves))
            model.setExperts(
                try reader.experts(normalizesByDefault: false),
                where: try reader.sparseLayers(model.layers))
            model.sharedExpert = SharedExpertConfiguration(
                inner: try reader.size(.sharedExpertInner, else: .denseInner), isGated: true)
            if let window = try reader.qwenWindow() {
                // Every other layer slides, up to a limit.
                let limit = try reader.windowLayersLimit()
                model.setWindow(
                    window,
                    where: try reader.slidingLayers(model.layers) { $0 % 2 == 0 && $0 < limit })
            }
            try reader.setRotaries(rotary, headSize: attention.headSize, in: &model)
            return model
        }
    }

    private static var qwen2MoENames: WeightNames {
        let layer = WeightNames.layer
        return WeightNames.huggingFace.replacing([
            .sharedGate: [layer("mlp.shared_expert.gate_proj.weight")],
            .sharedUp: [layer("mlp.shared_expert.up_proj.weight")],
            .sharedDown: [layer("mlp.shared_expert.down_proj.weight")],
            .sharedExpertGate: [layer("mlp.shared_expert_gate.weight")],
        ])
    }
}

extension ConfigurationReader {
    /// Qwen's window, which counts only where `use_sliding_window` says so; nil otherwise.
    func qwenWindow() throws(ModelFileError) -> Int? {
        guard try settings.boolean(.usesWindow) ?? false else { return nil }
        return try optionalSize(.window, limit: ModelLimits.context) ?? 4096
    }

    /// Qwen's `max_window_layers`.
    func windowLayersLimit() throws(ModelFileError) -> Int {
        try settings.integer(.windowLayersLimit, in: 0...ModelLimits.layers) ?? 28
    }
}
