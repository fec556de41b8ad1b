import ModelFiles

extension Architecture {
    /// Qwen 3, dense: a norm per head of queries and keys, and a head size of its own.
    static var qwen3: Architecture {
        Architecture(ggufName: "qwen3", modelType: "qwen3") {
            (reader) throws(ModelFileError) in
            var (model, headSize) = try reader.qwen3Family()
            if let window = try reader.qwenWindow() {
                let limit = try reader.windowLayersLimit()
                model.setWindow(
                    window, where: try reader.slidingLayers(model.layers) { $0 >= limit })
            }
            try reader.setRotaries(reader.rotary(), headSize: headSize, in: &model)
            return model
        }
    }

    /// Qwen 3 MoE.
    static var qwen3MoE: Architecture {
        Architecture(ggufName: "qwen3moe", modelType: "qwen3_moe") {
            (reader) throws(ModelFileError) in
            var (model, headSize) = try reader.qwen3Family()
            // llama.cpp normalises whatever the file says; config.json's default is not to.
            model.setExperts(
                try reader.experts(normalizesByDefault: reader.settings.isGGUF),
                where: try reader.sparseLayers(model.layers))
            model.setWindow(try reader.qwenWindow(), where: model.layerKinds.map { _ in true })
            try reader.setRotaries(reader.rotary(), headSize: headSize, in: &model)
            return model
        }
    }
}

extension ConfigurationReader {
    /// The model without experts, and the size of its heads.
    fileprivate func qwen3Family() throws(ModelFileError) -> (ModelConfiguration, Int) {
        var attention = try groupedQuery()
        attention.norm = .heads
        let model = try model(
            attention: .groupedQuery(attention),
            rotary: try rotary().configuration(headSize: attention.headSize, pairing: .halves))
        return (model, attention.headSize)
    }
}
