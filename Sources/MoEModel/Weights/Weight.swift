/// A weight by its role. The raw value is its name in llama.cpp's GGUF files, where `{layer}` and
/// `{expert}` stand for numbers.
enum Weight: String, CaseIterable {
    case tokenEmbedding = "token_embd.weight"
    case outputNorm = "output_norm.weight"
    case head = "output.weight"

    case attentionNorm = "blk.{layer}.attn_norm.weight"
    case query = "blk.{layer}.attn_q.weight"
    case key = "blk.{layer}.attn_k.weight"
    case value = "blk.{layer}.attn_v.weight"
    case attentionOutput = "blk.{layer}.attn_output.weight"
    case queryNorm = "blk.{layer}.attn_q_norm.weight"
    case keyNorm = "blk.{layer}.attn_k_norm.weight"
    case sinks = "blk.{layer}.attn_sinks.weight"

    case queryDown = "blk.{layer}.attn_q_a.weight"
    case queryDownNorm = "blk.{layer}.attn_q_a_norm.weight"
    case queryUp = "blk.{layer}.attn_q_b.weight"
    case compression = "blk.{layer}.attn_kv_a_mqa.weight"
    case compressionNorm = "blk.{layer}.attn_kv_a_norm.weight"
    /// Per head the key matrix, transposed.
    case latentKeys = "blk.{layer}.attn_k_b.weight"
    case latentValues = "blk.{layer}.attn_v_b.weight"
    /// Per head the key matrix and then the value matrix.
    case latentKeysAndValues = "blk.{layer}.attn_kv_b.weight"

    case feedForwardNorm = "blk.{layer}.ffn_norm.weight"
    case gate = "blk.{layer}.ffn_gate.weight"
    case up = "blk.{layer}.ffn_up.weight"
    case down = "blk.{layer}.ffn_down.weight"

    case router = "blk.{layer}.ffn_gate_inp.weight"
    case selectionBias = "blk.{layer}.exp_probs_b.bias"
    case sharedGate = "blk.{layer}.ffn_gate_shexp.weight"
    case sharedUp = "blk.{layer}.ffn_up_shexp.weight"
    case sharedDown = "blk.{layer}.ffn_down_shexp.weight"
    case sharedExpertGate = "blk.{layer}.ffn_gate_inp_shexp.weight"

    case expertGate = "blk.{layer}.ffn_gate.{expert}.weight"
    case expertUp = "blk.{layer}.ffn_up.{expert}.weight"
    case expertDown = "blk.{layer}.ffn_down.{expert}.weight"
    /// All experts of a layer in one tensor.
    case stackedGates = "blk.{layer}.ffn_gate_exps.weight"
    case stackedUps = "blk.{layer}.ffn_up_exps.weight"
    case stackedDowns = "blk.{layer}.ffn_down_exps.weight"
    /// All experts of a layer, each one's gate and then its up.
    case stackedGatesAndUps = "blk.{layer}.ffn_gate_up_exps.weight"
}
