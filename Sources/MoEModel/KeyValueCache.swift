/// The keys and values of one sequence, all layers.
package struct KeyValueCache: Sendable {
    /// One layer's keys and values, position after position.
    package struct Layer: Sendable {
        /// `[positions × (keyValueHeads · headSize)]`, rotated; in latent attention
        /// `[positions × (rank + rotarySize)]`, the compressed vector and the shared rotated key.
        var keys: [Float] = []
        /// `[positions × (keyValueHeads · headSize)]`; empty in latent attention.
        var values: [Float] = []
    }

    package var layers: [Layer]
    /// Positions read so far.
    package internal(set) var positions = 0

    /// An empty cache for a model with that many layers.
    package init(layers: Int) {
        self.layers = Array(repeating: Layer(), count: layers)
    }

    /// Bytes held.
    package var byteCount: Int {
        layers.reduce(0) { $0 + 4 * ($1.keys.count + $1.values.count) }
    }
}
