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

    /// What each of three would return for the same inputs, in one division among threads.
    static func outputs(
        _ first: Projection, _ second: Projection, _ third: Projection, _ inputs: Activations
    ) -> (Matrix, Matrix, Matrix) {
        var outputs = products([first.weights, second.weights, third.weights], inputs)
        for (index, bias) in [first.bias, second.bias, third.bias].enumerated() {
            outputs[index].addToRows(bias)
        }
        return (outputs[0], outputs[1], outputs[2])
    }
}
