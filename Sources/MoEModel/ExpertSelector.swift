import SystemModel
package import Tensors

/// Who is chosen: one of the model's two seams.
package protocol ExpertSelector: Sendable {
    /// Chooses experts and weights for every token of a step.
    ///
    /// Called once per layer and step, on the inference thread.
    ///
    /// - Parameters:
    ///   - layer: position of the layer in the model.
    ///   - routerLogits: `[tokens × experts]`.
    func route(layer: Int, routerLogits: Matrix) -> Routing
}

/// The model's own choice: softmax over all experts, the K largest, renormalised if it says so.
///
/// Of equal scores the lower expert wins, so the choice is the same everywhere.
package struct TopKSelector: ExpertSelector {
    let configuration: ExpertsConfiguration

    package init(_ configuration: ExpertsConfiguration) {
        self.configuration = configuration
    }

    package func route(layer: Int, routerLogits: Matrix) -> Routing {
        var pairs: [ExpertPair] = []
        pairs.reserveCapacity(routerLogits.rows * configuration.perToken)
        for row in 0..<routerLogits.rows {
            var scores = Array(routerLogits.row(row))
            scores.withUnsafeMutableBufferPointer { softmax($0) }
            let chosen = largest(configuration.perToken, of: scores)
            let sum = configuration.normalizesWeights ? chosen.reduce(0) { $0 + scores[$1] } : 1
            pairs += chosen.sorted().map {
                ExpertPair(row: row, expert: $0, weight: scores[$0] / sum)
            }
        }
        return Routing(rows: routerLogits.rows, pairs: pairs)
    }
}

/// Positions of the `count` largest scores, largest first; of equal ones the first wins.
func largest(_ count: Int, of scores: [Float]) -> [Int] {
    let ranked = scores.indices.sorted {
        scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1)
    }
    return Array(ranked.prefix(count))
}
