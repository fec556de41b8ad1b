package import SystemModel
package import Tensors

/// Fetches the next layer's likely experts into memory while a layer's own compute.
///
/// The next layer's router is applied to this layer's inputs (gate look-ahead: Eliseev and Mazur
/// 2023): the residual stream changes little from layer to layer. Weights of a mapped file are then
/// asked for before they are needed, which hides the disk where the model is larger than memory.
/// Results do not change.
///
/// How often it is right is part of the costs (`CostRecord.predictedPairs`). Reading happens on a
/// thread of its own, and only where something is missing; while nothing is, layers are looked at
/// now and then.
package final class PrefetchingExperts: ExpertExecutor {
    private let experts: any ExpertExecutor
    private let selector: any ExpertSelector
    private let fetcher: any ExpertFetching
    /// By layer; nil for a dense one.
    private let routers: [Router?]
    /// By layer what was predicted to be visited in this step, part after part, as parts reach each
    /// layer (`StepDivision`); nil where nobody looked.
    private var predicted: [Int: [Set<Visit>?]] = [:]
    /// Pairs since the costs were taken: of layers that were predicted, and those foreseen.
    private var pairs = (predicted: 0, right: 0)

    private struct Visit: Hashable {
        let row: Int
        let expert: Int
    }

    /// - Parameters:
    ///   - experts: computes.
    ///   - selector: how the model chooses from router logits.
    package init(
        _ experts: any ExpertExecutor, transformer: Transformer, selector: any ExpertSelector,
        fetcher: any ExpertFetching
    ) {
        self.experts = experts
        self.selector = selector
        self.fetcher = fetcher
        routers = transformer.layers.map { layer in
            if case .mixture(let router) = layer.feedForward { router } else { nil }
        }
    }

    package func parts(rows: Int) -> StepDivision { experts.parts(rows: rows) }

    package func begin(layer: Int, inputs: Matrix, routing: Routing) throws -> MixtureUnderWay {
        compare(layer, routing)
        let mixture = try experts.begin(layer: layer, inputs: inputs, routing: routing)
        predict(layer + 1, inputs)
        return mixture
    }

    package func mixture(layer: Int, inputs: Matrix, routing: Routing) throws -> Matrix {
        try begin(layer: layer, inputs: inputs, routing: routing).result()
    }

    package func takeCosts() -> CostRecord {
        var costs = experts.takeCosts()
        costs.predictedPairs += pairs.predicted
        costs.rightlyPredictedPairs += pairs.right
        (pairs, predicted) = ((0, 0), [:])
        return costs
    }

    private func compare(_ layer: Int, _ routing: Routing) {
        guard predicted[layer]?.isEmpty == false,
            let visits = predicted[layer]?.removeFirst()
        else { return }
        pairs.predicted += routing.pairs.count
        pairs.right += routing.pairs.count {
            visits.contains(Visit(row: $0.row, expert: $0.expert))
        }
    }

    /// After a layer's frames are out, before its own experts are computed.
    private func predict(_ layer: Int, _ inputs: Matrix) {
        guard routers.indices.contains(layer), let router = routers[layer] else { return }
        guard fetcher.isDue else {
            predicted[layer, default: []].append(nil)
            return
        }
        let routing = selector.route(
            layer: layer, rows: 0..<inputs.rows, routerLogits: router.logits(inputs))
        predicted[layer, default: []].append(
            Set(routing.pairs.map { Visit(row: $0.row, expert: $0.expert) }))
        fetcher.fetch(
            Set(routing.pairs.map(\.expert)).sorted().map { ExpertID(layer: layer, expert: $0) },
            rows: inputs.rows)
    }
}
