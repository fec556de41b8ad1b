import SystemModel
package import Tensors

/// Who is chosen: one of the model's two seams.
package protocol ExpertSelector: Sendable {
    /// Whether a token's experts follow from its own logits alone, so that a step's rows may be
    /// routed in parts.
    var choosesRowByRow: Bool { get }

    /// Chooses experts and weights for tokens of a step.
    ///
    /// Called on the inference thread, once per layer and step, or where `choosesRowByRow` once for
    /// each part of the step, whichever comes to the layer first.
    ///
    /// - Parameters:
    ///   - layer: position of the layer in the model.
    ///   - rows: which of the step's rows these are.
    ///   - routerLogits: `[rows × experts]`.
    /// - Returns: pairs whose rows are those of `routerLogits`.
    func route(layer: Int, rows: Range<Int>, routerLogits: Matrix) -> Routing
}

/// The model's own choice: the K experts of the largest scores, and their weights.
///
/// Of equal scores the lower expert wins, so the choice is the same everywhere.
package struct TopKSelector: ExpertSelector {
    let configuration: ExpertsConfiguration

    package init(_ configuration: ExpertsConfiguration) {
        self.configuration = configuration
    }

    package var choosesRowByRow: Bool { true }

    package func route(layer: Int, rows: Range<Int>, routerLogits: Matrix) -> Routing {
        var pairs: [ExpertPair] = []
        pairs.reserveCapacity(routerLogits.rows * configuration.perToken)
        for row in 0..<routerLogits.rows {
            let scores = configuration.scores(Array(routerLogits.row(row)))
            let chosen = configuration.choice(layer: layer, scores: scores)
            let weights = configuration.weights(of: chosen, scores: scores)
            pairs += zip(chosen, weights).sorted { $0.0 < $1.0 }.map {
                ExpertPair(row: row, expert: $0.0, weight: $0.1)
            }
        }
        return Routing(rows: routerLogits.rows, pairs: pairs)
    }
}

extension ExpertsConfiguration {
    /// One token's scores of all experts, `[experts]`, from its router logits.
    package func scores(_ logits: [Float]) -> [Float] {
        switch scoring {
        case .sigmoid: return logits.map(sigmoid)
        case .softmax:
            var scores = logits
            scores.withUnsafeMutableBufferPointer { softmax($0) }
            return scores
        }
    }

    /// The experts that the model itself visits, best first, `[perToken]`.
    package func choice(layer: Int, scores: [Float]) -> [Int] {
        var ranks = scores
        if selectionBias.indices.contains(layer), !selectionBias[layer].isEmpty {
            ranks = zip(scores, selectionBias[layer]).map { $0 + $1 }
        }
        guard let groups, groups.count > 1 else { return largest(perToken, of: ranks) }
        let size = ranks.count / groups.count
        let groupRanks = (0..<groups.count).map { group in
            groups.ranking.rank(ranks[group * size..<(group + 1) * size])
        }
        let open = Set(largest(groups.perToken, of: groupRanks))
        for expert in ranks.indices where !open.contains(expert / size) {
            ranks[expert] = -.infinity
        }
        return largest(perToken, of: ranks)
    }

    /// The factors of the chosen experts' outputs, `[chosen]`.
    package func weights(of chosen: [Int], scores: [Float]) -> [Float] {
        // The smallest term keeps a sum of zeros from dividing by zero, as DeepSeek does.
        let sum = normalizesWeights ? chosen.reduce(1e-20) { $0 + scores[$1] } : 1
        return chosen.map { scores[$0] / sum * weightScale }
    }
}

extension ExpertsConfiguration.Groups.Ranking {
    fileprivate func rank(_ scores: ArraySlice<Float>) -> Float {
        switch self {
        case .largest: scores.max() ?? 0
        case .sumOfTwoLargest: scores.sorted(by: >).prefix(2).reduce(0, +)
        }
    }
}

/// Positions of the `count` largest scores, largest first; of equal ones the first wins.
///
/// - Complexity: O(count · scores), less than sorting for the few that a token visits.
func largest(_ count: Int, of scores: [Float]) -> [Int] {
    var rest = Array(scores.indices)
    return (0..<min(count, scores.count)).map { _ in
        var best = 0
        for place in rest.indices.dropFirst() where scores[rest[place]] > scores[rest[best]] {
            best = place
        }
        return rest.remove(at: best)
    }
}
