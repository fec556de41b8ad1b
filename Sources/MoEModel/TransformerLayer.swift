import Tensors

/// One layer: attention, then either a dense feed-forward or a mixture of experts.
package struct TransformerLayer: Sendable {
    /// What follows attention. Experts are not here: an `ExpertExecutor` holds them.
    package enum FeedForward: Sendable {
        case dense(ExpertWeights)
        case mixture(Router)
    }

    let attentionNorm: [Float]
    let attention: Attention
    let feedForwardNorm: [Float]
    let epsilon: Float
    package let feedForward: FeedForward

    /// Adds the attention of the newest rows to the residual stream.
    ///
    /// - Parameters:
    ///   - hidden: `[tokens × hidden]`, the residual stream of consecutive new positions.
    ///   - cache: this layer's keys and values; grows by `tokens` positions.
    func attend(_ hidden: inout Matrix, cache: inout KeyValueCache.Layer) {
        let inputs = rootMeanSquareNormalized(hidden, weight: attentionNorm, epsilon: epsilon)
        hidden.add(attention.output(Activations(inputs), cache: &cache))
    }

    /// The feed-forward's inputs: `[tokens × hidden]`.
    func normalized(_ hidden: Matrix) -> Matrix {
        rootMeanSquareNormalized(hidden, weight: feedForwardNorm, epsilon: epsilon)
    }
}
