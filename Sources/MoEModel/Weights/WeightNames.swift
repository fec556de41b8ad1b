import ModelFiles

/// What an architecture's weights are called in one kind of file.
struct WeightNames: Sendable {
    /// Candidates by weight; the first that a file holds counts.
    private var table: [Weight: [String]]

    /// llama.cpp's names.
    static let gguf = WeightNames(
        table: Dictionary(uniqueKeysWithValues: Weight.allCases.map { ($0, [$0.rawValue]) }))

    /// The names of transformers' llama-like models.
    static let huggingFace = WeightNames(table: [
        .tokenEmbedding: ["model.embed_tokens.weight"],
        .outputNorm: ["model.norm.weight"],
        .head: ["lm_head.weight"],
        .attentionNorm: [layer("input_layernorm.weight")],
        .query: [layer("self_attn.q_proj.weight")],
        .key: [layer("self_attn.k_proj.weight")],
        .value: [layer("self_attn.v_proj.weight")],
        .attentionOutput: [layer("self_attn.o_proj.weight")],
        .queryNorm: [layer("self_attn.q_norm.weight")],
        .keyNorm: [layer("self_attn.k_norm.weight")],
        .sinks: [layer("self_attn.sinks")],
        .queryDown: [layer("self_attn.q_a_proj.weight")],
        .queryDownNorm: [layer("self_attn.q_a_layernorm.weight")],
        .queryUp: [layer("self_attn.q_b_proj.weight")],
        .compression: [layer("self_attn.kv_a_proj_with_mqa.weight")],
        .compressionNorm: [layer("self_attn.kv_a_layernorm.weight")],
        .latentKeysAndValues: [layer("self_attn.kv_b_proj.weight")],
        .feedForwardNorm: [layer("post_attention_layernorm.weight")],
        .gate: [layer("mlp.gate_proj.weight")],
        .up: [layer("mlp.up_proj.weight")],
        .down: [layer("mlp.down_proj.weight")],
        .router: [layer("mlp.gate.weight")],
        .selectionBias: [layer("mlp.gate.e_score_correction_bias")],
        .sharedGate: [layer("mlp.shared_experts.gate_proj.weight")],
        .sharedUp: [layer("mlp.shared_experts.up_proj.weight")],
        .sharedDown: [layer("mlp.shared_experts.down_proj.weight")],
        .expertGate: [layer("mlp.experts.{expert}.gate_proj.weight")],
        .expertUp: [layer("mlp.experts.{expert}.up_proj.weight")],
        .expertDown: [layer("mlp.experts.{expert}.down_proj.weight")],
        .stackedGatesAndUps: [layer("mlp.experts.gate_up_proj")],
        .stackedDowns: [layer("mlp.experts.down_proj")],
    ])

    /// A name inside a Hugging Face layer.
    static func layer(_ name: String) -> String { "model.layers.{layer}." + name }

    /// These names, with other candidates for some weights.
    func replacing(_ others: [Weight: [String]]) -> WeightNames {
        WeightNames(table: table.merging(others) { $1 })
    }

    /// The name that `archive` has for a weight; the first candidate where it has none.
    func resolve(
        _ weight: Weight, layer: Int = 0, expert: Int = 0, in archive: TensorArchive
    ) -> String {
        let names = (table[weight] ?? [weight.rawValue]).map {
            $0.substituting("{layer}", layer).substituting("{expert}", expert)
        }
        return names.first { archive[$0] != nil } ?? names.first ?? weight.rawValue
    }

    private init(table: [Weight: [String]]) {
        self.table = table
    }
}

extension String {
    /// The text with the first `mark` replaced by a number.
    fileprivate func substituting(_ mark: String, _ number: Int) -> String {
        guard let range = firstRange(of: mark) else { return self }
        return self[..<range.lowerBound] + "\(number)" + self[range.upperBound...]
    }
}
