package import SystemModel
package import Tensors

/// Scores every expert of a layer for every token.
package struct Router: Sendable {
    /// `[experts × hidden]`
    let projection: Projection

    /// `[tokens × experts]` logits for `[tokens × hidden]` normalised inputs.
    package func logits(_ inputs: Matrix) -> Matrix {
        projection(Activations(inputs))
    }
}

/// Which experts each token of a step visits in one layer.
package struct Routing: Sendable, Equatable {
    /// Rows of the layer's inputs.
    package let rows: Int
    /// In ascending order of row, then expert; a row may have any number of experts.
    package let pairs: [ExpertPair]

    /// - Precondition: pairs in ascending order of row, then expert, no duplicates.
    package init(rows: Int, pairs: [ExpertPair]) {
        precondition(
            zip(pairs, pairs.dropFirst()).allSatisfy { ($0.row, $0.expert) < ($1.row, $1.expert) },
            "pairs ascend by row, then expert")
        precondition(pairs.allSatisfy { 0..<rows ~= $0.row }, "a pair's row is a row of the inputs")
        self.rows = rows
        self.pairs = pairs
    }
}
