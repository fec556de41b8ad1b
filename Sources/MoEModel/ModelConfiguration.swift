/// The sizes and choices of one decoder-only transformer, from its file's settings.
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
    /// The rotary embeddings that layers use; most models have one.
    package var rotaries: [RotaryConfiguration]
    /// What differs between layers. `[layers]`
    package var layerKinds: [LayerConfiguration]
    /// Inner size of a dense feed-forward layer; unused where every layer has experts.
    package var denseInner: Int
    /// Nil in a dense model.
    package var experts: ExpertsConfiguration?
    /// The expert that every token visits, beside the routed ones.
    package var sharedExpert: SharedExpertConfiguration?
}

/// What differs between the layers of one model.
package struct LayerConfiguration: Sendable, Equatable {
    /// A position sees itself and the `window - 1` before it; nil sees all.
    package var window: Int?
    /// Position of the layer's rotary embedding in `ModelConfiguration.rotaries`.
    package var rotary = 0
    /// Whether a mixture of experts follows attention, or one dense feed-forward.
    package var hasExperts: Bool
}

/// The two kinds of attention.
package enum AttentionConfiguration: Sendable, Equatable {
    case groupedQuery(GroupedQueryConfiguration)
    case latent(LatentConfiguration)
}

/// Grouped-query attention: `heads` queries share `keyValueHeads` keys and values.
package struct GroupedQueryConfiguration: Sendable, Equatable {
    /// What is normalised before queries and keys turn.
    package enum Norm: Sendable, Equatable {
        case none
        /// Each head by itself, all with one weight `[headSize]` (Qwen3).
        case heads
        /// All heads of a row together, weight `[heads · headSize]` (OLMoE).
        case rows
    }

    package var heads: Int
    package var keyValueHeads: Int
    /// Width of one head.
    package var headSize: Int
    package var norm = Norm.none
    /// Whether each head has a learned logit that takes part in the softmax and has no value.
    package var hasSinks = false
    /// Queries, keys and values are clamped to ± this before they turn (OLMoE's `clip_qkv`).
    package var clamp: Float?
}

/// Multi-head latent attention (DeepSeek-V2, 2024): keys and values of all heads come from one
/// short vector per position, and only that vector is kept.
package struct LatentConfiguration: Sendable, Equatable {
    package var heads: Int
    /// Width of the compressed queries; nil where queries are not compressed.
    package var queryRank: Int?
    /// Width of the compressed keys and values.
    package var rank: Int
    /// Elements of a head's query and key that do not turn.
    package var plainSize: Int
    /// Elements that turn; the key's are shared by all heads.
    package var rotarySize: Int
    /// Width of a head's value.
    package var valueSize: Int
    /// Factor of the scores.
    package var scale: Float
}

/// The routed experts of a layer and how a token chooses among them.
package struct ExpertsConfiguration: Sendable, Equatable {
    /// What makes scores of the router's logits.
    package enum Scoring: Sendable, Equatable { case softmax, sigmoid }

    /// Experts in `count` equal groups, of which a token may visit `perToken`.
    package struct Groups: Sendable, Equatable {
        /// How a group is ranked by its experts' scores.
        package enum Ranking: Sendable, Equatable {
            /// By the largest (DeepSeek-V2).
            case largest
            /// By the sum of the two largest (DeepSeek-V3).
            case sumOfTwoLargest
        }

        package var count: Int
        package var perToken: Int
        package var ranking: Ranking
    }

    /// Experts per layer.
    package var count: Int
    /// Experts per token, `K`.
    package var perToken: Int
    /// Inner size of one expert, `m_h`.
    package var inner: Int
    /// Whether the chosen experts' weights are scaled to sum to 1.
    package var normalizesWeights: Bool
    package var scoring = Scoring.softmax
    package var groups: Groups?
    /// Factor of every weight, after normalising.
    package var weightScale: Float = 1
    package var activation = ExpertActivation.swiGLU
    /// Added to the scores when choosing, never to the weights: per layer `[experts]`, empty where
    /// a layer has none (DeepSeek-V3, "auxiliary-loss-free load balancing").
    package var selectionBias: [[Float]] = []
}

/// The expert that every token visits.
package struct SharedExpertConfiguration: Sendable, Equatable {
    /// Inner size; several shared experts are one of their joint size.
    package var inner: Int
    /// Whether its output is scaled by a sigmoid of a learned projection (Qwen2-MoE).
    package var isGated: Bool
}
