import MoEModel
import SystemModel
import Tensors

/// Runs experts here and records what they are like.
///
/// Every expert is computed for every row, so that products of outputs are known for experts that
/// the model did not choose: a substitute is such an expert.
final class OutputRecorder: ExpertExecutor, @unchecked Sendable {
    /// Products are averaged over tokens that rank both experts within this many of the best.
    private static let pool = 4

    /// Sums of one layer.
    struct Sums {
        var visits: [Int]
        var weights: [Double]
        var norms: [Double]
        var outputs: [[Double]]
        var coactivation: [Int]
        var products: [Double]
        var productCounts: [Int]
        var transitions: [Int]

        init(experts: Int, hidden: Int) {
            visits = Array(repeating: 0, count: experts)
            weights = Array(repeating: 0, count: experts)
            norms = weights
            outputs = Array(repeating: Array(repeating: 0, count: hidden), count: experts)
            coactivation = Array(repeating: 0, count: experts * experts)
            products = Array(repeating: 0, count: experts * experts)
            productCounts = coactivation
            transitions = coactivation
        }
    }

    private let layers: [[ExpertWeights]]
    private(set) var sums: [Sums]
    private(set) var tokens = 0
    /// Set by the selector before a layer runs: the router's weights, `[tokens][experts]`.
    var weights: [[Double]] = []
    private var previous: (layer: Int, experts: [[Int]])?

    init(layers: [[ExpertWeights]], hidden: Int) {
        self.layers = layers
        sums = layers.map { Sums(experts: $0.count, hidden: hidden) }
    }

    func takeCosts() -> CostRecord { CostRecord() }

    func mixture(layer: Int, inputs: Matrix, routing: Routing) -> Matrix {
        let outputs = layers[layer].map { $0.output(Activations(inputs)) }
        var chosen = [[Int]](repeating: [], count: inputs.rows)
        for pair in routing.pairs {
            chosen[pair.row].append(pair.expert)
            record(visit: pair, layer: layer, output: outputs[pair.expert])
        }
        for row in 0..<inputs.rows {
            record(products: row, layer: layer, outputs: outputs)
            record(together: chosen[row], layer: layer)
        }
        recordTransitions(layer: layer, chosen)
        if layer == layers.firstIndex(where: { !$0.isEmpty }) { tokens += inputs.rows }
        var mixture = Matrix(rows: inputs.rows, columns: inputs.columns)
        for pair in routing.pairs {
            mixture.addScaled(
                row: pair.row, pair.weight, outputs[pair.expert], sourceRow: pair.row)
        }
        return mixture
    }

    private func record(visit: ExpertPair, layer: Int, output: Matrix) {
        let row = output.row(visit.row)
        sums[layer].visits[visit.expert] += 1
        sums[layer].weights[visit.expert] += Double(visit.weight)
        sums[layer].norms[visit.expert] += Self.product(row, row).squareRoot()
        for (column, value) in row.enumerated() {
            sums[layer].outputs[visit.expert][column] += Double(value)
        }
    }

    private func record(products row: Int, layer: Int, outputs: [Matrix]) {
        let count = outputs.count
        let scores = weights[row]
        let pool = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
            .prefix(Self.pool)
        for left in pool {
            for right in pool {
                sums[layer].products[left * count + right] += Self.product(
                    outputs[left].row(row), outputs[right].row(row))
                sums[layer].productCounts[left * count + right] += 1
            }
        }
    }

    private func record(together experts: [Int], layer: Int) {
        let count = layers[layer].count
        for left in experts {
            for right in experts { sums[layer].coactivation[left * count + right] += 1 }
        }
    }

    private func recordTransitions(layer: Int, _ chosen: [[Int]]) {
        if let previous, previous.layer == layer - 1 {
            let count = layers[layer].count
            for (before, after) in zip(previous.experts, chosen) {
                for left in before {
                    for right in after {
                        sums[layer - 1].transitions[left * count + right] += 1
                    }
                }
            }
        }
        previous = (layer, chosen)
    }

    private static func product(_ left: ArraySlice<Float>, _ right: ArraySlice<Float>) -> Double {
        zip(left, right).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
}
