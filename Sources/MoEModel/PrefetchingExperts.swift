package import SystemModel
package import Tensors

/// Fetches the next layer's likely experts into memory while a layer's own compute.
///
/// The next layer's router is applied to this layer's inputs (gate look-ahead: Eliseev and Mazur
/// 2023): the residual stream changes little from layer to layer. Weights of a mapped file are then
/// asked for before they are needed, which hides the disk where the model is larger than memory.
/// Results do not change.
///
/// How often it is right is part of the costs (`CostRecord.predictedPairs`). Experts on devices are
/// in the devices' memory: for them there is nothing to fetch. Reading happens on a thread of its
/// own, and only where something is missing; while nothing is, layers are looked at now and then.
package final class PrefetchingExperts: ExpertExecutor {
    private let experts: any ExpertExecutor
    private let selector: any ExpertSelector
    /// By layer; nil for a dense one.
    private let routers: [Router?]
    /// By layer the experts that this machine holds.
    private let local: [[ExpertWeights]]
    private let isComputedHere: (ExpertID) -> Bool
    private let fetcher = WeightFetcher()
    /// By layer what it was predicted to visit in this step.
    private var predicted: [Int: Set<Visit>] = [:]
    private var costs = CostRecord()

    private struct Visit: Hashable {
        let row: Int
        let expert: Int
    }

    /// - Parameters:
    ///   - experts: computes.
    ///   - selector: how the model chooses from router logits.
    ///   - local: by layer the experts in this machine's file.
    ///   - isComputedHere: whether an expert would be computed from this machine's file now.
    package init(
        _ experts: any ExpertExecutor, transformer: Transformer, selector: any ExpertSelector,
        local: [[ExpertWeights]], isComputedHere: @escaping (ExpertID) -> Bool = { _ in true }
    ) {
        self.experts = experts
        self.selector = selector
        self.local = local
        self.isComputedHere = isComputedHere
        routers = transformer.layers.map { layer in
            if case .mixture(let router) = layer.feedForward { router } else { nil }
        }
    }

    package func mixture(layer: Int, inputs: Matrix, routing: Routing) throws -> Matrix {
        compare(layer, routing)
        predict(layer + 1, inputs)
        return try experts.mixture(layer: layer, inputs: inputs, routing: routing)
    }

    package func takeCosts() -> CostRecord {
        defer { costs = CostRecord() }
        var sum = experts.takeCosts()
        sum.add(costs)
        return sum
    }

    private func compare(_ layer: Int, _ routing: Routing) {
        guard let predicted = predicted.removeValue(forKey: layer) else { return }
        costs.predictedPairs += routing.pairs.count
        costs.rightlyPredictedPairs += routing.pairs.count {
            predicted.contains(Visit(row: $0.row, expert: $0.expert))
        }
    }

    private func predict(_ layer: Int, _ inputs: Matrix) {
        guard routers.indices.contains(layer), let router = routers[layer], fetcher.isDue else {
            return
        }
        let routing = selector.route(
            layer: layer, rows: 0..<inputs.rows, routerLogits: router.logits(inputs))
        predicted[layer] = Set(routing.pairs.map { Visit(row: $0.row, expert: $0.expert) })
        guard local.indices.contains(layer) else { return }
        let wanted = Set(routing.pairs.map(\.expert)).filter {
            isComputedHere(ExpertID(layer: layer, expert: $0))
        }
        fetcher.fetch(wanted.sorted().flatMap { local[layer][$0].matrices.map(\.bytes) })
    }
}
