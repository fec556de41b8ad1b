import ModelFiles

extension Architecture {
    /// Llama and Mixtral: GGUF knows both as "llama", with experts or without.
    ///
    /// Their converter permutes the rows of query and key so that the rotary pairs are neighbours.
    static var llama: Architecture {
        Architecture(name: "llama") { (file) throws(ModelFileError) in
            let metadata = GGUFConfiguration(file: file, prefix: "llama")
            try metadata.refuseRotaryScaling()
            return ModelConfiguration(
                architecture: "llama",
                vocabulary: try metadata.vocabulary(),
                hidden: try metadata.size("embedding_length"),
                layers: try metadata.size("block_count", limit: ModelLimits.layers),
                contextLength: try metadata.size("context_length", limit: ModelLimits.context),
                normEpsilon: Float(try metadata.number("attention.layer_norm_rms_epsilon")),
                attention: try metadata.attention(pairing: .interleaved),
                denseInner: try metadata.size("feed_forward_length"),
                experts: try metadata.experts(normalizesByDefault: true))
        }
    }
}
