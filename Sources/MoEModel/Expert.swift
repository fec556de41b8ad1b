package import Tensors

/// A SwiGLU feed-forward network: `down · (silu(gate · x) ⊙ (up · x))`.
///
/// A routed expert, a shared expert and a dense layer's feed-forward are all one of these.
package struct ExpertWeights: Sendable {
    /// `[inner × hidden]`
    package let gate: QuantizedMatrix
    /// `[inner × hidden]`
    package let up: QuantizedMatrix
    /// `[hidden × inner]`
    package let down: QuantizedMatrix

    /// - Precondition: the three shapes fit together.
    package init(gate: QuantizedMatrix, up: QuantizedMatrix, down: QuantizedMatrix) {
        precondition(gate.rows == up.rows && gate.columns == up.columns, "gate and up agree")
        precondition(down.rows == gate.columns && down.columns == gate.rows, "down leads back")
        self.gate = gate
        self.up = up
        self.down = down
    }

    /// Bytes of the three matrices as stored.
    package var byteCount: Int { gate.bytes.count + up.bytes.count + down.bytes.count }

    /// `[tokens × hidden]` outputs for `[tokens × hidden]` inputs.
    ///
    /// - Complexity: 6 · hidden · inner operations per token; reads `byteCount` bytes.
    package func output(_ inputs: Activations) -> Matrix {
        let inner = swiGLU(gate: product(gate, inputs), up: product(up, inputs))
        return product(down, Activations(inner))
    }
}
