package import MoEModel
import Synchronization
package import SystemModel
import Tensors

/// Runs windows of a text through a model and records what its experts do.
package struct CalibrationRun {
    /// What a run recorded.
    package struct Result: Sendable {
        package var profile: CalibrationProfile
        package var visits: [RoutingVisit]
    }

    private let model: Model
    private let experts: ExpertsConfiguration

    /// - Precondition: the model has experts.
    package init(_ model: Model) {
        guard let experts = model.configuration.experts else {
            preconditionFailure("a dense model has nothing to calibrate")
        }
        self.model = model
        self.experts = experts
    }

    /// Records, then asks layer by layer what the model's loss feels.
    ///
    /// - Parameter windows: `[windows][ids]`.
    /// - Complexity: every expert on every token once, then one forward pass of the text per layer.
    package func run(_ windows: [[Int]]) throws -> Result {
        let recorder = OutputRecorder(
            layers: model.experts, hidden: model.configuration.hidden)
        var visits: [RoutingVisit] = []
        var quality = Perplexity()
        for (number, ids) in windows.enumerated() {
            let log = Mutex<[RoutingVisit]>([])
            let selector = PlannedSelector(experts) { layer, weights, ranked in
                recorder.weights = weights
                let shares = zip(weights, ranked).map(Self.shares)
                log.withLock { log in
                    for row in ranked.indices {
                        log += zip(ranked[row], shares[row]).map {
                            RoutingVisit(
                                window: number, position: row, layer: layer, expert: $0,
                                weight: $1)
                        }
                    }
                }
                return PlannedSelector.Choice(experts: ranked, shares: shares)
            }
            quality.score(ids: ids, logits: try forward(ids, selector, recorder), from: 1)
            visits += log.withLock { $0 }
        }
        var layers = recorder.sums.map(Self.layer)
        for layer in layers.indices where !layers[layer].experts.isEmpty {
            layers[layer].lossPerSquare = try lossPerSquare(
                layer, layers[layer], windows, plain: quality.mean)
        }
        return Result(
            profile: CalibrationProfile(tokens: recorder.tokens, layers: layers), visits: visits)
    }

    private func forward(
        _ ids: [Int], _ selector: any ExpertSelector, _ executor: any ExpertExecutor
    ) throws -> Matrix {
        var cache = KeyValuePool(model.transformer).makeCache()
        return try model.transformer.forward(
            ids, cache: &cache, rows: .all, selector: selector, experts: executor)
    }

    private static func shares(_ weights: [Double], _ ranked: [Int]) -> [Double] {
        let sum = ranked.reduce(0) { $0 + weights[$1] }
        return ranked.map { weights[$0] / sum }
    }

    private static func layer(_ sums: OutputRecorder.Sums) -> CalibrationProfile.Layer {
        let experts = sums.visits.indices.map { expert in
            let count = Double(max(1, sums.visits[expert]))
            return CalibrationProfile.Expert(
                visits: sums.visits[expert], meanWeight: sums.weights[expert] / count,
                meanOutputNorm: sums.norms[expert] / count,
                meanOutput: sums.outputs[expert].map { $0 / count })
        }
        let products = zip(sums.products, sums.productCounts).map { $0 / Double(max(1, $1)) }
        return CalibrationProfile.Layer(
            experts: experts, coactivation: sums.coactivation, products: products,
            transitions: sums.transitions, lossPerSquare: 0)
    }

    /// Drops the least expert of every token in one layer only, and compares the model's loss with
    /// the mean square change of the layer's output that the products predict.
    private func lossPerSquare(
        _ target: Int, _ layer: CalibrationProfile.Layer, _ windows: [[Int]], plain: Double
    ) throws -> Double {
        let count = layer.experts.count
        let square = Mutex((sum: 0.0, tokens: 0))
        let selector = PlannedSelector(experts) { index, weights, ranked in
            let shares = zip(weights, ranked).map(Self.shares)
            guard index == target else {
                return PlannedSelector.Choice(experts: ranked, shares: shares)
            }
            for (experts, shares) in zip(ranked, shares) {
                let change = Self.change(experts, shares)
                let value = change.reduce(0.0) { sum, left in
                    change.reduce(sum) {
                        $0 + left.1 * $1.1 * layer.products[left.0 * count + $1.0]
                    }
                }
                square.withLock { $0 = ($0.sum + value, $0.tokens + 1) }
            }
            return PlannedSelector.Choice(
                experts: ranked.map { Array($0.prefix(1)) }, shares: ranked.map { _ in [1] })
        }
        let executor = LocalExperts(layers: model.experts)
        var quality = Perplexity()
        for ids in windows {
            quality.score(ids: ids, logits: try forward(ids, selector, executor), from: 1)
        }
        let mean = square.withLock { $0.sum / Double(max(1, $0.tokens)) }
        return mean > 0 ? max(0, quality.mean - plain) / mean : 0
    }

    /// What replacing a mixture by its best expert changes, as expert and weight.
    private static func change(_ experts: [Int], _ shares: [Double]) -> [(Int, Double)] {
        zip(experts, shares).enumerated().map { ($1.0, $0 == 0 ? $1.1 - 1 : $1.1) }
    }
}
