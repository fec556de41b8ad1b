import ModelFiles

/// The settings that architectures share, under their GGUF and config.json names.
extension SettingName {
    static let vocabulary = SettingName(gguf: "vocab_size", config: "vocab_size")
    static let hidden = SettingName(gguf: "embedding_length", config: "hidden_size")
    static let layers = SettingName(gguf: "block_count", config: "num_hidden_layers")
    /// Layers at the end that predict further tokens; GGUF counts them as layers, config.json not.
    static let predictionLayers = SettingName(gguf: "nextn_predict_layers")
    static let contextLength = SettingName(
        gguf: "context_length", config: "max_position_embeddings")
    static let normEpsilon = SettingName(
        gguf: "attention.layer_norm_rms_epsilon", config: "rms_norm_eps")
    static let denseInner = SettingName(gguf: "feed_forward_length", config: "intermediate_size")
    static let tiesEmbeddings = SettingName(gguf: nil, config: "tie_word_embeddings")
    static let activation = SettingName(gguf: nil, config: "hidden_act")

    static let heads = SettingName(gguf: "attention.head_count", config: "num_attention_heads")
    static let keyValueHeads = SettingName(
        gguf: "attention.head_count_kv", config: "num_key_value_heads")
    static let headSize = SettingName(gguf: "attention.key_length", config: "head_dim")
    static let clamp = SettingName(gguf: "attention.clamp_kqv", config: "clip_qkv")
    static let queryKeyNorm = SettingName(gguf: nil, config: "use_qk_norm")

    static let window = SettingName(gguf: "attention.sliding_window", config: "sliding_window")
    static let usesWindow = SettingName(gguf: nil, config: "use_sliding_window")
    static let windowLayersLimit = SettingName(gguf: nil, config: "max_window_layers")
    static let layerTypes = SettingName(gguf: nil, config: "layer_types")

    static let queryRank = SettingName(gguf: "attention.q_lora_rank", config: "q_lora_rank")
    static let keyValueRank = SettingName(gguf: "attention.kv_lora_rank", config: "kv_lora_rank")
    static let plainKeySize = SettingName(gguf: nil, config: "qk_nope_head_dim")
    static let rotaryKeySize = SettingName(gguf: "rope.dimension_count", config: "qk_rope_head_dim")
    static let latentKeySize = SettingName(gguf: "attention.key_length_mla")
    static let latentValueSize = SettingName(
        gguf: "attention.value_length_mla", config: "v_head_dim")
    static let valueSize = SettingName(gguf: "attention.value_length")
    static let interleavesRotary = SettingName(gguf: nil, config: "rope_interleave")

    static let expertCount = SettingName(
        gguf: "expert_count", config: "num_local_experts", "num_experts", "n_routed_experts")
    static let expertsPerToken = SettingName(
        gguf: "expert_used_count", config: "num_experts_per_tok")
    static let expertInner = SettingName(
        gguf: "expert_feed_forward_length", config: "moe_intermediate_size")
    static let normalizesWeights = SettingName(
        gguf: "expert_weights_norm", config: "norm_topk_prob")
    static let weightScale = SettingName(
        gguf: "expert_weights_scale", config: "routed_scaling_factor")
    static let groupCount = SettingName(gguf: "expert_group_count", config: "n_group")
    static let groupsPerToken = SettingName(gguf: "expert_group_used_count", config: "topk_group")
    /// 1: softmax, 2: sigmoid, 3: softmax of the chosen.
    static let gating = SettingName(gguf: "expert_gating_func")
    static let choiceMethod = SettingName(gguf: nil, config: "topk_method")
    static let sharedExpertCount = SettingName(
        gguf: "expert_shared_count", config: "n_shared_experts")
    static let sharedExpertInner = SettingName(
        gguf: "expert_shared_feed_forward_length", config: "shared_expert_intermediate_size")
    static let leadingDenseLayers = SettingName(
        gguf: "leading_dense_block_count", config: "first_k_dense_replace")
    static let sparseStep = SettingName(gguf: nil, config: "decoder_sparse_step")
    static let denseLayers = SettingName(gguf: nil, config: "mlp_only_layers")
    static let clampedAlpha = SettingName(gguf: nil, config: "swiglu_alpha")
    static let clampedLimit = SettingName(gguf: nil, config: "swiglu_limit")
}

/// The rotary settings; in config.json their names are those inside `rope_parameters`.
extension SettingName {
    static let rotaryBase = SettingName(gguf: "rope.freq_base", config: "rope_theta")
    static let rotaryDimensions = SettingName(gguf: "rope.dimension_count")
    static let rotaryShare = SettingName(gguf: nil, config: "partial_rotary_factor")
    static let scalingType = SettingName(gguf: "rope.scaling.type", config: "rope_type", "type")
    static let scalingFactor = SettingName(gguf: "rope.scaling.factor", config: "factor")
    static let originalContext = SettingName(
        gguf: "rope.scaling.original_context_length", config: "original_max_position_embeddings")
    static let lowFactor = SettingName(gguf: nil, config: "low_freq_factor")
    static let highFactor = SettingName(gguf: nil, config: "high_freq_factor")
    static let fastTurns = SettingName(gguf: "rope.scaling.yarn_beta_fast", config: "beta_fast")
    static let slowTurns = SettingName(gguf: "rope.scaling.yarn_beta_slow", config: "beta_slow")
    static let truncates = SettingName(gguf: nil, config: "truncate")
    static let attentionFactor = SettingName(
        gguf: "rope.scaling.attn_factor", config: "attention_factor")
    static let magnitudeScale = SettingName(gguf: nil, config: "mscale")
    static let magnitudeScaleAll = SettingName(gguf: nil, config: "mscale_all_dim")
    /// A tenth of `mscale_all_dim`.
    static let magnitudeLogarithm = SettingName(gguf: "rope.scaling.yarn_log_multiplier")
}
