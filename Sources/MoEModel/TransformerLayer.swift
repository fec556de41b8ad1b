import Tensors

/// One layer: attention, then either a dense feed-forward or a mixture of experts.
package struct TransformerLayer: Sendable {
    /// What follows attention. Experts are not here: an `ExpertExecutor` holds them.
    package enum FeedForward: Sendable {
        case dense(ExpertWeights)
        case mixture(Router)
    }

    let attentionNorm: [Float]
    let attention: any Attention
    let feedForwardNorm: [Float]
    let epsilon: Float
    package let feedForward: FeedForward
    /// Beside a mixture: the expert that every token visits.
    let sharedExpert: SharedExpert?
    /// Position of the layer's rotary embedding among the model's.
    let rotary: Int

    /// Adds the attention of the newest rows to the residual stream.
    ///
    /// - Parameters:
    ///   - hidden: `[tokens × hidden]`, the residual stream of consecutive new positions.
    ///   - cache: this layer's keys and values; grows by `tokens` positions.
    ///   - turns: the new positions' turns, for each of the model's rotary embeddings.
    func attend(
        _ hidden: inout Matrix, cache: inout KeyValueCache.Layer, turns: [RotaryTurns]
    ) {
        let inputs = rootMeanSquareNormalized(hidden, weight: attentionNorm, epsilon: epsilon)
        hidden.add(attention.output(Activations(inputs), cache: &cache, turns: turns[rotary]))
    }

    /// The feed-forward's inputs: `[tokens × hidden]`.
    func normalized(_ hidden: Matrix) -> Matrix {
        rootMeanSquareNormalized(hidden, weight: feedForwardNorm, epsilon: epsilon)
    }
}
