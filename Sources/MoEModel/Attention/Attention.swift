import Tensors

/// How a layer mixes positions; the two kinds are grouped-query and latent attention.
protocol Attention: Sendable {
    /// Attention of new rows over the positions that each of them sees.
    ///
    /// - Parameters:
    ///   - inputs: `[tokens × hidden]`, normalised, at consecutive new positions.
    ///   - cache: this layer's earlier positions; the new ones are appended.
    ///   - turns: the rotary turns of the new positions.
    /// - Returns: `[tokens × hidden]`.
    func output(
        _ inputs: Activations, cache: inout KeyValueCache.Layer, turns: RotaryTurns
    ) -> Matrix
}
