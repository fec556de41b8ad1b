import Foundation
import Tensors

/// The expert that every token visits; it runs at the base station, as part of the layer.
struct SharedExpert: Sendable {
    let weights: ExpertWeights
    /// `[1 × hidden]`: the output is scaled by the sigmoid of this product. Nil: not scaled.
    let gate: QuantizedMatrix?

    /// `[tokens × hidden]`
    func output(_ inputs: Activations) -> Matrix {
        let outputs = weights.output(inputs)
        guard let gate else { return outputs }
        let logits = product(gate, inputs)
        var scaled = Matrix(rows: outputs.rows, columns: outputs.columns)
        for row in 0..<outputs.rows {
            scaled.addScaled(row: row, sigmoid(logits[row, 0]), outputs, sourceRow: row)
        }
        return scaled
    }
}

/// `1 / (1 + exp(−x))`
func sigmoid(_ x: Float) -> Float {
    1 / (1 + exp(-x))
}
