import SystemModel

/// How experts are placed.
package enum CachingAlgorithm: String, Sendable, CaseIterable {
    /// Several starts and orders, sweeps to a fixed point. Ours.
    case best
    /// Server by server, each by the dynamic program, one pass (SlimCaching).
    case successive
    /// The same with the accelerated dynamic program (SlimCaching).
    case maxconv
    /// The expert that saves most per byte, again and again.
    case greedy
    /// What the nearest users ask for most.
    case lfu
    /// Anything, seeded.
    case random
    /// The most popular experts, the same everywhere.
    case same
    /// Nothing anywhere.
    case cloud
    /// The best of all placements; for tiny problems.
    case exhaustive
}

/// What an algorithm may be told.
package struct CachingOptions: Sendable, Equatable {
    /// best: at most so many sweeps from each start.
    package var sweeps = 30
    /// best, random.
    package var seed: UInt64 = 0
    /// maxconv: with experts of several sizes a server's content saves at least (1 - ε) of the most
    /// possible.
    package var epsilon = 0.01
    /// greedy: starts from every placement of up to so many experts, 0...3.
    package var seedSize = 0
    /// best: what is stored now, to start from besides the other starts.
    package var running: CachePlacement?
    /// best: how many bytes may be moved from there at most; no limit where nil.
    package var migrationBytes: Int?

    package init() {}
}

/// Where experts are stored and what that is worth.
package struct ExpertCachingPlan: Sendable, Equatable {
    package let placement: CachePlacement
    /// Mean over users of the time of a token's experts, s.
    package let secondsPerToken: Double
    /// `f(X)`: how much less that is than with the cloud alone, s.
    package let savedSecondsPerToken: Double

    init(_ state: CachingState) {
        placement = state.placement
        secondsPerToken = state.secondsPerToken
        savedSecondsPerToken = state.savedSeconds
    }
}

/// Tells whoever waits for a plan how far it is.
package struct CachingObserver {
    /// Starts to improve.
    package internal(set) var total = 1
    /// Starts improved.
    package internal(set) var done = 0
    /// Seconds per token saved by the best placement so far.
    package private(set) var savedSeconds = 0.0
    private let body: (CachingObserver) throws -> Void

    /// - Parameter body: called after each sweep; throws to stop planning.
    package init(_ body: @escaping (CachingObserver) throws -> Void) {
        self.body = body
    }

    mutating func tell(_ savedSeconds: Double) throws {
        self.savedSeconds = savedSeconds
        try body(self)
    }
}

/// A caching problem made ready for planning, so that several algorithms share the work.
package struct ExpertCachingPlanner: Sendable {
    /// Nothing is stored.
    private let empty: CachingState
    private let problem: ExpertCachingProblem

    var index: CachingIndex { empty.index }

    /// - Complexity: O(n log n) for n experts named in activations.
    package init(_ problem: ExpertCachingProblem) {
        self.problem = problem
        empty = CachingState(CachingIndex(problem))
    }

    /// Greedy starts from at most so many placements: some ten seconds of tiny problems.
    package static let greedySeedLimit = 1e5

    /// How many placements of up to `size` experts greedy would start from, at most.
    package func greedySeedCount(size: Int) -> Double {
        GreedyCaching.seedCount(index, seedSize: size)
    }

    /// Places experts.
    ///
    /// - Parameter observe: told what `best` does; what it throws stops planning.
    package func plan(
        _ algorithm: CachingAlgorithm, _ options: CachingOptions = CachingOptions(),
        observe: @escaping (CachingObserver) throws -> Void = { _ in }
    ) throws -> ExpertCachingPlan {
        ExpertCachingPlan(try state(algorithm, options, CachingObserver(observe)))
    }

    private func state(
        _ algorithm: CachingAlgorithm, _ options: CachingOptions, _ observer: CachingObserver
    ) throws -> CachingState {
        switch algorithm {
        case .best:
            let running = options.running.map { state($0) }
            if let running, let bytes = options.migrationBytes {
                return try CachingMigration(
                    running, budgetBytes: bytes, sweeps: options.sweeps
                ).solve(observer)
            }
            var search = BestCaching(
                empty, running: running, sweeps: options.sweeps, seed: options.seed)
            return try search.solve(observer)
        case .successive:
            return onePass(StorageKnapsack(method: .plain, epsilon: 0))
        case .maxconv:
            return onePass(StorageKnapsack(method: .accelerated, epsilon: options.epsilon))
        case .greedy: return GreedyCaching.best(empty, seedSize: options.seedSize)
        case .lfu: return PopularityCaching(empty).nearest()
        case .random:
            var generator = SeededGenerator(seed: options.seed)
            return PopularityCaching(empty).random(using: &generator)
        case .same: return PopularityCaching(empty).same()
        case .cloud: return empty
        case .exhaustive: return ExhaustiveCaching(empty).solve()
        }
    }

    /// Successive greedy decomposition: servers in order, each given those before.
    private func onePass(_ knapsack: StorageKnapsack) -> CachingState {
        var sweep = CachingSweep(empty, ServerSolver(index, knapsack))
        sweep.pass(Array(index.storage.indices))
        return sweep.state
    }

    /// What a placement is worth.
    package func evaluate(_ placement: CachePlacement) -> ExpertCachingPlan {
        ExpertCachingPlan(state(placement))
    }

    func state(_ placement: CachePlacement) -> CachingState {
        var state = empty
        let first = index.firstExperts
        for (server, experts) in placement.enumerated() {
            for expert in experts {
                let number =
                    first[expert.model] + expert.layer * problem.models[expert.model].experts
                    + expert.expert
                state.store(number, at: server)
            }
        }
        return state
    }
}

extension CachingIndex {
    /// `[models]`: the first expert of each.
    fileprivate var firstExperts: [Int] {
        var first: [Int] = []
        for layer in layers where layer.layer == 0 { first.append(layer.experts.lowerBound) }
        return first
    }
}
