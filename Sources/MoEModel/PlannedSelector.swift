import SystemModel
package import Tensors

/// A choice of experts made by somebody who knows the devices: hands the router's weights over and
/// dispatches what comes back.
///
/// Simulator and base station give it different planners; the model does not know.
package final class PlannedSelector: ExpertSelector {
    /// What a planner answers for the rows of one layer.
    package struct Choice: Sendable {
        /// `[tokens][kept]`, at least one each, no expert twice.
        package var experts: [[Int]]
        /// `[tokens][kept]`: factors of their outputs; the model's own would sum to 1. Nil, or
        /// empty for a token: the router's weights of the kept experts, scaled as if nothing had
        /// been dropped.
        package var shares: [[Double]]?

        package init(experts: [[Int]], shares: [[Double]]? = nil) {
            self.experts = experts
            self.shares = shares
        }
    }

    /// - Parameters: the layer; the router's weights `[tokens][experts]`, each row summing to 1;
    ///   the model's own choice `[tokens][perToken]`, best first.
    package typealias Planner =
        @Sendable (_ layer: Int, _ weights: [[Double]], _ ranked: [[Int]]) -> Choice

    private let configuration: ExpertsConfiguration
    private let planner: Planner

    package init(_ configuration: ExpertsConfiguration, planner: @escaping Planner) {
        self.configuration = configuration
        self.planner = planner
    }

    /// A planner looks at all that a layer's devices have to do.
    package var choosesRowByRow: Bool { false }

    package func route(layer: Int, rows: Range<Int>, routerLogits: Matrix) -> Routing {
        let scores = (0..<routerLogits.rows).map {
            configuration.scores(Array(routerLogits.row($0)))
        }
        let ranked = scores.map { scores in
            configuration.choice(layer: layer, scores: scores)
                .sorted { (-scores[$0], $0) < (-scores[$1], $1) }
        }
        let choice = planner(layer, scores.map(Self.normalised), ranked)
        let pairs = scores.indices.flatMap { row in
            let kept = choice.experts[row]
            let shares = choice.shares?[row] ?? []
            let factors =
                shares.isEmpty
                ? weights(of: kept, scores: scores[row], ranked: ranked[row])
                : weights(shares, scores: scores[row], ranked: ranked[row])
            return zip(kept, factors).sorted { $0.0 < $1.0 }.map {
                ExpertPair(row: row, expert: $0, weight: $1)
            }
        }
        return Routing(rows: scores.count, pairs: pairs)
    }

    private static func normalised(_ scores: [Float]) -> [Double] {
        let sum = scores.reduce(0.0) { $0 + Double($1) }
        return scores.map { sum > 0 ? Double($0) / sum : 1 / Double(scores.count) }
    }

    /// The model's own weights where it keeps its own choice, bit for bit.
    private func weights(of kept: [Int], scores: [Float], ranked: [Int]) -> [Float] {
        guard kept != ranked else { return configuration.weights(of: kept, scores: scores) }
        let sum = kept.reduce(1e-20) { $0 + Double(scores[$1]) }
        return weights(
            kept.map { Double(scores[$0]) / sum }, scores: scores, ranked: ranked)
    }

    /// Shares times what the model's own weights sum to.
    private func weights(_ shares: [Double], scores: [Float], ranked: [Int]) -> [Float] {
        let sum = configuration.normalizesWeights ? 1 : ranked.reduce(0) { $0 + scores[$1] }
        return shares.map { Float($0 * Double(sum * configuration.weightScale)) }
    }
}
