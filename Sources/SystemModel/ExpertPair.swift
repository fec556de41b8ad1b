/// One visit of a token to an expert of a layer.
package struct ExpertPair: Sendable, Equatable {
    /// The token: a row of the layer's inputs, or of the batch that carries them.
    package let row: Int
    /// Position of the expert in its layer.
    package let expert: Int
    /// What the expert's output is multiplied by before it is summed.
    package let weight: Float

    /// Pairs a row with an expert.
    package init(row: Int, expert: Int, weight: Float) {
        self.row = row
        self.expert = expert
        self.weight = weight
    }
}
