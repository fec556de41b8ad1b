package import SystemModel
package import Tensors

/// Where a layer's experts run: the other of the model's two seams.
package protocol ExpertExecutor: AnyObject {
    /// `out[row] = Σ weight · expert(inputs[row])` over the row's pairs.
    ///
    /// Called on the inference thread, which it may block. Sums run in a fixed order (see
    /// `partialMixture`), so the result does not depend on timing or on which machine computed.
    ///
    /// - Parameters:
    ///   - layer: position of the layer in the model.
    ///   - inputs: `[tokens × hidden]`.
    ///   - routing: the experts of each of those rows.
    /// - Returns: `[tokens × hidden]`.
    /// - Throws: if the result cannot be had from anywhere.
    func mixture(layer: Int, inputs: Matrix, routing: Routing) throws -> Matrix

    /// The same, begun: returns without waiting for other machines. What several calls began may be
    /// waited for in any order.
    func begin(layer: Int, inputs: Matrix, routing: Routing) throws -> MixtureUnderWay

    /// In which parts a step of that many rows should go through the layers, so that one part is
    /// computed here while others are out. Asked once, as the step begins.
    func parts(rows: Int) -> StepDivision

    /// What was spent since the last call: pairs, waiting, bytes and times by device. The step's
    /// total time is the caller's to measure.
    func takeCosts() -> CostRecord
}

extension ExpertExecutor {
    package func begin(layer: Int, inputs: Matrix, routing: Routing) throws -> MixtureUnderWay {
        let mixture = try mixture(layer: layer, inputs: inputs, routing: routing)
        return MixtureUnderWay { mixture }
    }

    package func parts(rows: Int) -> StepDivision { .whole }
}

/// A mixture that was begun.
package struct MixtureUnderWay {
    private let finish: () throws -> Matrix

    /// - Parameter finish: waits for the mixture; called once.
    package init(finish: @escaping () throws -> Matrix) { self.finish = finish }

    /// Waits: `[tokens × hidden]`.
    ///
    /// - Throws: as `ExpertExecutor.mixture`.
    package func result() throws -> Matrix { try finish() }
}

/// All experts on this machine.
package final class LocalExperts: ExpertExecutor {
    /// Per layer the experts in order; empty for a dense layer.
    private let layers: [[ExpertWeights]]
    private let fetcher: WeightFetcher
    private var costs = CostRecord()

    package init(layers: [[ExpertWeights]]) {
        self.layers = layers
        fetcher = WeightFetcher(layers)
    }

    package func mixture(layer: Int, inputs: Matrix, routing: Routing) -> Matrix {
        fetcher.fetchVisited(layer: layer, routing.pairs)
        return sum(layer, inputs, routing)
    }

    /// Asks the disk for what is missing; nothing is computed before somebody waits for it.
    package func begin(layer: Int, inputs: Matrix, routing: Routing) -> MixtureUnderWay {
        fetcher.fetchVisited(layer: layer, routing.pairs)
        return MixtureUnderWay { [self] in sum(layer, inputs, routing) }
    }

    private func sum(_ layer: Int, _ inputs: Matrix, _ routing: Routing) -> Matrix {
        costs.pairs += routing.pairs.count
        costs.localPairs += routing.pairs.count
        return partialMixture(inputs: inputs, pairs: routing.pairs) { layers[layer][$0] }
    }

    package func takeCosts() -> CostRecord {
        defer { costs = CostRecord() }
        return costs
    }
}

/// The weighted outputs of one group of pairs, summed per row: `out[row] = Σ w · expert(x[row])`.
///
/// Base station and devices both call this, so a group has the same bits whoever computes it. A
/// row's terms are added in ascending order of expert to an exact zero, each product rounded before
/// it is added: two terms therefore sum alike whether they come from one group or from two.
///
/// - Parameters:
///   - inputs: `[tokens × hidden]`.
///   - pairs: ascending by row, then expert; rows without a pair stay zero.
///   - weights: the expert of that position in its layer.
/// - Complexity: each expert's weights are read once, however many rows visit it.
package func partialMixture(
    inputs: Matrix, pairs: [ExpertPair], weights: (Int) throws -> ExpertWeights
) rethrows -> Matrix {
    try partialMixture(inputs: Activations(inputs), pairs: pairs, weights: weights)
}

/// The same of inputs that are quantised already.
package func partialMixture(
    inputs: Activations, pairs: [ExpertPair], weights: (Int) throws -> ExpertWeights
) rethrows -> Matrix {
    let visits = PairsByExpert(pairs)
    // One row needs no gathering: all its experts read it where it is.
    let gathered = inputs.rows == 1 ? inputs : inputs.gatheringRows(visits.rows)
    var list: [ExpertVisits] = []
    list.reserveCapacity(visits.experts.count)
    for (expert, range) in visits.experts {
        list.append(
            ExpertVisits(
                expert: try weights(expert), rows: inputs.rows == 1 ? 0..<1 : range))
    }
    return visits.weightedSum(outputs(of: list, gathered), rows: inputs.rows)
}

/// Pairs in ascending order of expert, then row.
private struct PairsByExpert {
    /// Each visited expert, ascending, and the positions of its pairs.
    private(set) var experts: [(expert: Int, range: Range<Int>)] = []
    private var pairs: [ExpertPair]

    init(_ pairs: [ExpertPair]) {
        self.pairs = pairs
        if pairs.last?.row != pairs.first?.row {
            self.pairs.sort { ($0.expert, $0.row) < ($1.expert, $1.row) }
        }
        for (position, pair) in self.pairs.enumerated() {
            if let last = experts.last, last.expert == pair.expert {
                experts[experts.count - 1].range = last.range.lowerBound..<position + 1
            } else {
                experts.append((pair.expert, position..<position + 1))
            }
        }
    }

    /// The pairs' rows.
    var rows: [Int] { pairs.map(\.row) }

    /// Adds each pair's row of `outputs` times its weight to its row of the sum, in order.
    func weightedSum(_ outputs: Matrix, rows: Int) -> Matrix {
        var sum = Matrix(rows: rows, columns: outputs.columns)
        for (position, pair) in pairs.enumerated() {
            sum.addScaled(row: pair.row, pair.weight, outputs, sourceRow: position)
        }
        return sum
    }
}
