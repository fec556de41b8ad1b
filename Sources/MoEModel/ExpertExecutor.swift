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

    /// What was spent since the last call: pairs, waiting, bytes and times by device. The step's
    /// total time is the caller's to measure.
    func takeCosts() -> CostRecord
}

/// All experts on this machine.
package final class LocalExperts: ExpertExecutor {
    /// Per layer the experts in order; empty for a dense layer.
    private let layers: [[ExpertWeights]]
    private var costs = CostRecord()

    package init(layers: [[ExpertWeights]]) {
        self.layers = layers
    }

    package func mixture(layer: Int, inputs: Matrix, routing: Routing) -> Matrix {
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
    var output = Matrix(rows: inputs.rows, columns: inputs.columns)
    let all = inputs.rows == 1 ? Activations(inputs) : nil
    let byExpert = Dictionary(grouping: pairs, by: \.expert)
    for (expert, visits) in byExpert.sorted(by: { $0.key < $1.key }) {
        let activations = all ?? Activations(inputs.gatheringRows(visits.map(\.row)))
        let outputs = try weights(expert).output(activations)
        for (index, visit) in visits.enumerated() {
            output.addScaled(row: visit.row, visit.weight, outputs, sourceRow: index)
        }
    }
    return output
}
