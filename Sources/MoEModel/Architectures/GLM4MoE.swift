import ModelFiles

extension Architecture {
    /// GLM-4.5 MoE (2025): grouped-query attention that turns a part of each head, and
    /// DeepSeek-V3's choice of experts.
    static var glm4MoE: Architecture {
        Architecture(
            ggufName: "glm4moe", modelType: "glm4_moe",
            gguf: .gguf.replacing([
                .feedForwardNorm: [
                    "blk.{layer}.post_attention_norm.weight", Weight.feedForwardNorm.rawValue,
                ]
            ])
        ) { (reader) throws(ModelFileError) in
            var attention = try reader.groupedQuery()
            let norm = reader.names.resolve(.queryNorm, in: reader.archive)
            let isNormed =
                reader.settings.isGGUF
                ? reader.archive[norm] != nil
                : try reader.settings.boolean(.queryKeyNorm) ?? false
            attention.norm = isNormed ? .heads : .none
            var rotary = try reader.rotary()
            rotary.defaultShare = 0.5
            var model = try reader.model(
                attention: .groupedQuery(attention),
                rotary: try rotary.configuration(headSize: attention.headSize, pairing: .halves),
                epsilon: 1e-5)
            guard var experts = try reader.experts(normalizesByDefault: true) else { return model }
            experts.scoring = try reader.gating(default: .sigmoid)
            experts.weightScale = Float(try reader.settings.number(.weightScale) ?? 1)
            experts.groups = try reader.groups(experts, .sumOfTwoLargest)
            try reader.addDeepSeekExperts(experts, to: &model)
            return model
        }
    }
}
