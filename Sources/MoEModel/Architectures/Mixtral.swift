import ModelFiles

extension Architecture {
    /// Mixtral (Jiang et al. 2024), in Hugging Face's names; GGUF files of it are "llama".
    static var mixtral: Architecture {
        Architecture(ggufName: nil, modelType: "mixtral", huggingFace: mixtralNames) {
            (reader) throws(ModelFileError) in
            try reader.llamaFamily(epsilon: 1e-5, rotaryBase: 1_000_000)
        }
    }

    private static var mixtralNames: WeightNames {
        let layer = WeightNames.layer
        return WeightNames.huggingFace.replacing([
            .router: [layer("block_sparse_moe.gate.weight"), layer("mlp.gate.weight")],
            .expertGate: [layer("block_sparse_moe.experts.{expert}.w1.weight")],
            .expertDown: [layer("block_sparse_moe.experts.{expert}.w2.weight")],
            .expertUp: [layer("block_sparse_moe.experts.{expert}.w3.weight")],
        ])
    }
}
