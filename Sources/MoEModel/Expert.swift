package import Tensors

/// A gated feed-forward network, `down · (activation(gate · x) ⊙ (up · x))`, perhaps with biases.
///
/// A routed expert, a shared expert and a dense layer's feed-forward are all one of these.
package struct ExpertWeights: Sendable {
    /// What is added to the three products; all or none.
    package struct Biases: Sendable, Equatable {
        /// `[inner]`
        package let gate: [Float]
        /// `[inner]`
        package let up: [Float]
        /// `[hidden]`
        package let down: [Float]

        package init(gate: [Float], up: [Float], down: [Float]) {
            self.gate = gate
            self.up = up
            self.down = down
        }
    }

    /// `[inner × hidden]`
    package let gate: QuantizedMatrix
    /// `[inner × hidden]`
    package let up: QuantizedMatrix
    /// `[hidden × inner]`
    package let down: QuantizedMatrix
    /// Nil in most models.
    package let biases: Biases?
    package let activation: ExpertActivation

    /// - Precondition: the shapes fit together.
    package init(
        gate: QuantizedMatrix, up: QuantizedMatrix, down: QuantizedMatrix, biases: Biases? = nil,
        activation: ExpertActivation = .swiGLU
    ) {
        precondition(gate.rows == up.rows && gate.columns == up.columns, "gate and up agree")
        precondition(down.rows == gate.columns && down.columns == gate.rows, "down leads back")
        if let biases {
            precondition(
                biases.gate.count == gate.rows && biases.up.count == up.rows
                    && biases.down.count == down.rows, "a bias has one entry per output")
        }
        self.gate = gate
        self.up = up
        self.down = down
        self.biases = biases
        self.activation = activation
    }

    /// Bytes of the matrices as stored, and of the biases in fp32.
    package var byteCount: Int {
        let biasCount = biases.map { $0.gate.count + $0.up.count + $0.down.count } ?? 0
        return gate.bytes.count + up.bytes.count + down.bytes.count + 4 * biasCount
    }

    /// `[tokens × hidden]` outputs for `[tokens × hidden]` inputs.
    ///
    /// - Complexity: 6 · hidden · inner operations per token; reads `byteCount` bytes.
    package func output(_ inputs: Activations) -> Matrix {
        var (gates, ups) = (product(gate, inputs), product(up, inputs))
        if let biases {
            gates.addToRows(biases.gate)
            ups.addToRows(biases.up)
        }
        var outputs = product(down, Activations(activation.apply(gate: gates, up: ups)))
        if let biases { outputs.addToRows(biases.down) }
        return outputs
    }
}
