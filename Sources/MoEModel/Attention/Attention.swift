import Tensors

/// How a layer mixes positions; the two kinds are grouped-query and latent attention.
protocol Attention: Sendable {
    /// The weights that every pass reads.
    var matrices: [QuantizedMatrix] { get }

    /// Attention of new rows over the positions that each of them sees.
    ///
    /// - Parameters:
    ///   - inputs: `[tokens × hidden]`, normalised: each sequence's new rows.
    ///   - layer: position of the layer in the model.
    ///   - rows: whose rows they are; their keys and values are stored in its pages.
    ///   - turns: the rotary turns of the rows.
    /// - Returns: `[tokens × hidden]`.
    func output(
        _ inputs: Activations, layer: Int, rows: StepRows, turns: RotaryTurns
    ) -> Matrix
}
