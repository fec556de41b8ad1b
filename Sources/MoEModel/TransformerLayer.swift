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

    /// The weights that every pass reads: all but the routed experts.
    var matrices: [QuantizedMatrix] {
        let shared = sharedExpert.map { $0.weights.matrices + ($0.gate.map { [$0] } ?? []) } ?? []
        switch feedForward {
        case .dense(let expert): return attention.matrices + expert.matrices
        case .mixture(let router): return attention.matrices + [router.projection.weights] + shared
        }
    }

    /// Adds the attention of the newest rows to the residual stream.
    ///
    /// - Parameters:
    ///   - hidden: `[tokens × hidden]`, the residual stream of the step's rows.
    ///   - layer: position of the layer in the model.
    ///   - rows: whose rows they are; their keys and values are stored in its pages.
    func attend(_ hidden: inout Matrix, layer: Int, rows: StepRows) {
        let inputs = rootMeanSquareNormalized(hidden, weight: attentionNorm, epsilon: epsilon)
        hidden.add(
            attention.output(
                Activations(inputs), layer: layer, rows: rows, turns: rows.turns[rotary]))
    }

    /// The feed-forward's inputs: `[tokens × hidden]`.
    func normalized(_ hidden: Matrix) -> Matrix {
        rootMeanSquareNormalized(hidden, weight: feedForwardNorm, epsilon: epsilon)
    }
}
