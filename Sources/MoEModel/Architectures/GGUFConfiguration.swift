import ModelFiles

/// Reads the metadata that GGUF names alike for all architectures, under the architecture's prefix.
struct GGUFConfiguration {
    let file: GGUFFile
    /// The architecture's name, such as "llama".
    let prefix: String

    /// A required size of at least 1.
    func size(_ key: String, limit: Int = ModelLimits.width) throws(ModelFileError) -> Int {
        let name = "\(prefix).\(key)"
        return try file.require(name, try file.integer(name, in: 1...limit))
    }

    /// An optional size of at least 1.
    func optionalSize(
        _ key: String, limit: Int = ModelLimits.width
    ) throws(ModelFileError) -> Int? {
        try file.integer("\(prefix).\(key)", in: 1...limit)
    }

    /// A required number.
    func number(_ key: String) throws(ModelFileError) -> Double {
        let name = "\(prefix).\(key)"
        return try file.require(name, try file.float(name))
    }

    /// Rows of the embedding; the metadata key is optional in published files.
    func vocabulary() throws(ModelFileError) -> Int {
        if let size = try optionalSize("vocab_size") { return size }
        guard let rows = file.archive["token_embd.weight"]?.dimensions.first else {
            throw ModelFileError(
                .missing, file: file.path, "tensor token_embd.weight is not in the file")
        }
        return rows
    }

    func attention(
        pairing: RotaryConfiguration.Pairing
    ) throws(ModelFileError) -> AttentionConfiguration {
        let hidden = try size("embedding_length")
        let heads = try size("attention.head_count", limit: ModelLimits.heads)
        let keyValueHeads =
            try optionalSize("attention.head_count_kv", limit: ModelLimits.heads) ?? heads
        let headSize = try optionalSize("attention.key_length") ?? hidden / heads
        let rotary = try optionalSize("rope.dimension_count") ?? headSize
        guard heads % keyValueHeads == 0 else {
            throw malformed("attention.head_count \(heads) is not a multiple of \(keyValueHeads)")
        }
        guard rotary % 2 == 0, rotary <= headSize else {
            throw malformed("rope.dimension_count \(rotary) does not fit heads of \(headSize)")
        }
        return AttentionConfiguration(
            heads: heads, keyValueHeads: keyValueHeads, headSize: headSize,
            rotary: RotaryConfiguration(
                dimensions: rotary,
                base: try file.float("\(prefix).rope.freq_base") ?? 10_000,
                pairing: pairing))
    }

    /// The routed experts, or nil for a dense model.
    func experts(normalizesByDefault: Bool) throws(ModelFileError) -> ExpertsConfiguration? {
        let key = "\(prefix).expert_count"
        guard let count = try file.integer(key, in: 0...ModelLimits.experts), count > 0 else {
            return nil
        }
        let perToken = try size("expert_used_count", limit: count)
        let inner = try optionalSize("expert_feed_forward_length")
        let denseInner = try size("feed_forward_length")
        return ExpertsConfiguration(
            count: count, perToken: perToken,
            inner: inner ?? denseInner,
            normalizesWeights: try file.boolean("\(prefix).expert_weights_norm")
                ?? normalizesByDefault)
    }

    /// Scaled rotary positions would give wrong answers silently.
    func refuseRotaryScaling() throws(ModelFileError) {
        let type = try file.string("\(prefix).rope.scaling.type") ?? "none"
        guard type == "none", file.archive["rope_freqs.weight"] == nil else {
            throw ModelFileError(
                .unsupported, file: file.path,
                "metadata \(prefix).rope.scaling: scaled rotary positions are not supported yet")
        }
    }

    private func malformed(_ message: String) -> ModelFileError {
        ModelFileError(.malformed, file: file.path, "metadata \(prefix).\(message)")
    }
}
