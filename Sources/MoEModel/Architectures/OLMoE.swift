import ModelFiles

extension Architecture {
    /// OLMoE (Muennighoff et al. 2024): queries and keys normalised over all heads of a row.
    ///
    /// Its GGUF files do not say that weights are not normalised.
    static var olmoe: Architecture {
        Architecture(ggufName: "olmoe", modelType: "olmoe") {
            (reader) throws(ModelFileError) in
            var attention = try reader.groupedQuery()
            attention.norm = .rows
            attention.clamp = try reader.settings.number(.clamp).map { Float($0) }
            var model = try reader.model(
                attention: .groupedQuery(attention),
                rotary: try reader.rotary().configuration(
                    headSize: attention.headSize, pairing: .halves),
                epsilon: 1e-5)
            model.setExperts(try reader.experts(normalizesByDefault: false))
            return model
        }
    }
}
