/// The sizes and choices of one decoder-only transformer, from its file's metadata.
package struct ModelConfiguration: Sendable, Equatable {
    /// The architecture's name as the file gives it, such as "llama".
    package var architecture: String
    /// Pieces in the vocabulary.
    package var vocabulary: Int
    /// Width of the residual stream, `m`.
    package var hidden: Int
    package var layers: Int
    /// Longest sequence the model was trained for, in tokens.
    package var contextLength: Int
    /// ε of every RMSNorm.
    package var normEpsilon: Float
    package var attention: AttentionConfiguration
    /// Inner size of a dense feed-forward layer; unused where every layer has experts.
    package var denseInner: Int
    /// Nil in a dense model.
    package var experts: ExpertsConfiguration?
}

/// Grouped-query attention: `heads` queries share `keyValueHeads` keys and values.
package struct AttentionConfiguration: Sendable, Equatable {
    package var heads: Int
    package var keyValueHeads: Int
    /// Width of one head.
    package var headSize: Int
    package var rotary: RotaryConfiguration
}

/// Rotary position embedding (Su et al. 2021).
package struct RotaryConfiguration: Sendable, Equatable {
    /// Which two elements of a head turn together.
    package enum Pairing: Sendable, Equatable {
        /// `2i` and `2i + 1`: what GGUF's llama family holds, whose converter permutes the rows.
        case interleaved
        /// `i` and `i + dimensions / 2`: what Hugging Face checkpoints hold.
        case halves
    }

    /// Elements of a head that turn, from its start; even.
    package var dimensions: Int
    package var base: Double
    package var pairing: Pairing
}

/// The routed experts of a layer and how a token chooses among them.
package struct ExpertsConfiguration: Sendable, Equatable {
    /// Experts per layer.
    package var count: Int
    /// Experts per token, `K`.
    package var perToken: Int
    /// Inner size of one expert, `m_h`.
    package var inner: Int
    /// Whether the chosen experts' weights are scaled to sum to 1.
    package var normalizesWeights: Bool
}
