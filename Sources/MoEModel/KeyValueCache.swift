/// The keys and values of one sequence, all layers.
package struct KeyValueCache: Sendable {
    /// One layer's keys and values, position after position.
    package struct Layer: Sendable {
        /// `[positions × (keyValueHeads · headSize)]`, rotated.
        var keys: [Float] = []
        /// `[positions × (keyValueHeads · headSize)]`
        var values: [Float] = []
    }

    package var layers: [Layer]

    /// An empty cache for a model with that many layers.
    package init(layers: Int) {
        self.layers = Array(repeating: Layer(), count: layers)
    }
}
