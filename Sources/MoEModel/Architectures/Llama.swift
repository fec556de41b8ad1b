import ModelFiles

extension Architecture {
    /// Llama 2 and 3. GGUF knows Mixtral as "llama" too, with experts.
    ///
    /// The GGUF converter permutes the rows of query and key so that rotary pairs are neighbours.
    static var llama: Architecture {
        Architecture(ggufName: "llama", modelType: "llama") {
            (reader) throws(ModelFileError) in try reader.llamaFamily()
        }
    }
}

extension ConfigurationReader {
    /// Plain grouped-query attention; experts, where there are any, in every layer.
    func llamaFamily(
        epsilon: Double = 1e-6, rotaryBase: Double = 10_000
    ) throws(ModelFileError) -> ModelConfiguration {
        let attention = try groupedQuery()
        var rotary = try rotary()
        rotary.defaultBase = rotaryBase
        var model = try model(
            attention: .groupedQuery(attention),
            rotary: try rotary.configuration(
                headSize: attention.headSize, pairing: settings.isGGUF ? .interleaved : .halves),
            epsilon: epsilon)
        model.setExperts(try experts(normalizesByDefault: true))
        // Llama's config.json has no window; Mixtral's has one for all layers.
        let window = try optionalSize(.window, limit: ModelLimits.context)
        model.setWindow(window, where: model.layerKinds.map { _ in true })
        return model
    }
}
