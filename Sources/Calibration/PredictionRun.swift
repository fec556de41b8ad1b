package import MoEModel
package import Planning
package import SystemModel
import Tensors

/// Measures on a text how well the next layer's experts are foreseen: by the next layer's router
/// applied to this layer's inputs (gate look-ahead: Eliseev and Mazur 2023), by a profile's
/// transitions, and by its frequencies alone.
package struct PredictionRun {
    /// Recall by layer and depth, of each way.
    package struct Result: Sendable {
        package var gate: PredictionRecall
        package var transitions: PredictionRecall
        package var frequency: PredictionRecall
    }

    private let model: Model
    private let profile: CalibrationProfile

    /// - Parameter profile: of this model, better from another text than `run` measures on.
    package init(_ model: Model, profile: CalibrationProfile) {
        self.model = model
        self.profile = profile
    }

    /// - Parameters:
    ///   - windows: `[windows][ids]`.
    ///   - depth: the most experts that a prediction names.
    /// - Complexity: one forward pass of the text.
    package func run(_ windows: [[Int]], depth: Int) throws -> Result {
        let observer = PredictionObserver(model, profile: profile, depth: depth)
        for ids in windows {
            var cache = KeyValuePool(model.transformer).makeCache()
            _ = try model.transformer.forward(
                ids, cache: &cache, rows: .none, selector: model.selector, experts: observer)
        }
        return observer.result
    }
}

/// Runs experts here and compares each layer's visits with what the layer before foresaw.
private final class PredictionObserver: ExpertExecutor {
    private let experts: LocalExperts
    private let routers: [Router?]
    private let predictor: TransitionPredictor
    /// `[layers]`: experts by visits.
    private let popular: [[Int]]
    /// `[tokens]`: rankings for the layer that comes next.
    private var gate: [[Int]] = []
    private var transitions: [[Int]] = []
    private var nextLayer: Int?
    private(set) var result: PredictionRun.Result

    init(_ model: Model, profile: CalibrationProfile, depth: Int) {
        experts = LocalExperts(layers: model.experts)
        routers = model.transformer.layers.map { layer in
            if case .mixture(let router) = layer.feedForward { router } else { nil }
        }
        predictor = TransitionPredictor(profile)
        popular = profile.layers.map { layer in
            layer.experts.indices.sorted {
                (-layer.experts[$0].visits, $0) < (-layer.experts[$1].visits, $1)
            }
        }
        let empty = PredictionRecall(layers: routers.count, depth: depth)
        result = PredictionRun.Result(gate: empty, transitions: empty, frequency: empty)
    }

    func takeCosts() -> CostRecord { experts.takeCosts() }

    func mixture(layer: Int, inputs: Matrix, routing: Routing) -> Matrix {
        var visited = [[(expert: Int, weight: Double)]](repeating: [], count: inputs.rows)
        for pair in routing.pairs {
            visited[pair.row].append((pair.expert, Double(pair.weight)))
        }
        if nextLayer == layer { compare(layer, visited.map { $0.map(\.expert) }) }
        predict(layer, inputs, visited)
        return experts.mixture(layer: layer, inputs: inputs, routing: routing)
    }

    private func compare(_ layer: Int, _ visited: [[Int]]) {
        for (row, experts) in visited.enumerated() {
            result.gate.add(layer: layer, ranking: gate[row], visited: experts)
            result.frequency.add(layer: layer, ranking: popular[layer], visited: experts)
            if !transitions.isEmpty {
                result.transitions.add(
                    layer: layer, ranking: transitions[row], visited: experts)
            }
        }
    }

    private func predict(
        _ layer: Int, _ inputs: Matrix, _ visited: [[(expert: Int, weight: Double)]]
    ) {
        nextLayer = nil
        guard routers.indices.contains(layer + 1), let router = routers[layer + 1] else { return }
        nextLayer = layer + 1
        let logits = router.logits(inputs)
        gate = (0..<logits.rows).map { row in
            let scores = Array(logits.row(row))
            return scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
        }
        transitions = visited.compactMap { predictor.ranking(after: layer, visited: $0) }
    }
}
