import Tensors

/// A matrix and, in some models, a bias: `weights · x + bias`.
struct Projection: Sendable {
    /// `[outputs × inputs]`
    let weights: QuantizedMatrix
    /// `[outputs]`, or empty.
    let bias: [Float]

    init(_ weights: QuantizedMatrix, bias: [Float] = []) {
        precondition(bias.isEmpty || bias.count == weights.rows, "a bias has one entry per output")
        self.weights = weights
        self.bias = bias
    }

    /// `[tokens × outputs]` for `[tokens × inputs]`.
    func callAsFunction(_ inputs: Activations) -> Matrix {
        var outputs = product(weights, inputs)
        outputs.addToRows(bias)
        return outputs
    }
}
