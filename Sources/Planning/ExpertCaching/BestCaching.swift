import SystemModel

/// Ours: from several placements and in several orders, servers are solved again and again until
/// nothing improves; then the best placement is shaken and improved a few times more.
struct BestCaching {
    /// Random orders of more than six servers.
    private static let orderCount = 6
    /// Work of all sweeps together, in visits of one expert of one set: some seconds.
    private static let work = 1e8
    /// How much the mean over a set counts beside its maximum, sweep by sweep, from an empty start.
    private static let spreads = [1, 0.3, 0.1, 0.03]
    /// Breaks ties towards what other servers can complete.
    private static let tie = 1e-6

    private let empty: CachingState
    private let solver: ServerSolver
    private let running: CachingState?
    private var index: CachingIndex { empty.index }
    private let sweeps: Int
    private var isLarge = false
    private var generator: SeededGenerator
    private var best: CachingState
    private var bestSaved = 0.0

    /// - Parameters:
    ///   - empty: nothing is stored.
    ///   - running: another start.
    ///   - sweeps: of one start, at least 1.
    init(_ empty: CachingState, running: CachingState?, sweeps: Int, seed: UInt64) {
        self.empty = empty
        self.running = running
        self.sweeps = sweeps
        solver = ServerSolver(empty.index, StorageKnapsack(method: .accelerated, epsilon: 0))
        generator = SeededGenerator(seed: seed)
        best = empty
    }

    private enum Start: CaseIterable {
        case running, spread, empty, greedy, dealt, same, nearest
    }

    /// - Parameter observe: told after each sweep; may throw to stop.
    mutating func solve(_ observe: CachingObserver) throws -> CachingState {
        var observer = observe
        // A start takes some four sweeps.
        let runs = Self.work / (sweepWork * 4)
        isLarge = runs < 6
        let starts = (isLarge ? [.running, largeStart] : Start.allCases)
            .filter { $0 != .running || running != nil }
        let orders = orders(Int(min(1e4, max(1, runs / Double(starts.count)))))
        observer.total = starts.count * orders.count
        for start in starts {
            let placement = state(start)
            for order in orders {
                try improve(placement, order, passes(start), &observer)
            }
        }
        if runs > 100 { try shake(rounds: Int(min(300, runs / 4)), &observer) }
        var sweep = CachingSweep(best, solver)
        sweep.prune()
        return sweep.state
    }

    /// One start has to do: an empty one, unless a set may not fit any server.
    private var largeStart: Start {
        let most =
            index.layers.filter { !$0.entries.isEmpty }.map { layer in
                layer.entries.reduce(0) { max($0, index.members(of: $1).count) } * layer.bytes
            }.max() ?? 0
        return index.storage.allSatisfy { $0 >= most } ? .empty : .spread
    }

    /// Visits of one sweep: every server looks at every set, and solves its layers.
    private var sweepWork: Double {
        var work = Double(index.serverCount * index.entryCells.count)
        let capacity = Double(index.storage.reduce(0, +))
        let bundled = index.layers.filter {
            !$0.isSingle && $0.experts.count > LayerCurve.mostSubsetExperts
        }
        for layer in index.layers where !layer.isSingle {
            let experts = layer.experts.count
            guard experts <= LayerCurve.mostSubsetExperts else { continue }
            work += Double(index.serverCount * (experts << experts)) / 8
        }
        // A bundle looks at all sets of its layer; bundles fill every server twice.
        for layer in bundled {
            let slots = min(
                capacity / Double(layer.bytes * bundled.count),
                Double(index.serverCount * layer.experts.count))
            work += 2 * slots * Double(layer.entries.count)
        }
        return work
    }

    private func state(_ start: Start) -> CachingState {
        let popularity = PopularityCaching(empty)
        return switch start {
        case .running: running ?? empty
        case .spread, .empty: empty
        case .greedy: GreedyCaching.best(empty, seedSize: 0)
        case .dealt: popularity.dealt()
        case .same: popularity.same()
        case .nearest: popularity.nearest()
        }
    }

    /// All orders of up to six servers; of more, a few. At most `most`.
    private mutating func orders(_ most: Int) -> [[Int]] {
        let servers = Array(index.storage.indices)
        guard servers.count > 6 else { return Array(Self.permutations(servers).prefix(most)) }
        var orders = [servers]
        while orders.count < min(most, Self.orderCount) {
            orders.append(servers.shuffled(using: &generator))
        }
        return orders
    }

    private static func permutations(_ items: [Int]) -> [[Int]] {
        guard items.count > 1 else { return [items] }
        return items.flatMap { first in
            permutations(items.filter { $0 != first }).map { [first] + $0 }
        }
    }

    /// How much spreading counts in a start's first sweeps, which may make it worse: the first
    /// sweep of the empty start is `successive`'s.
    private func passes(_ start: Start) -> [Double] {
        switch start {
        case .spread: Self.spreads.suffix(max(1, sweeps - 1))
        case .empty: [0]
        case .running, .greedy, .dealt, .same, .nearest: []
        }
    }

    /// Sweeps until nothing improves, and keeps the best of all.
    private mutating func improve(
        _ start: CachingState, _ order: [Int], _ passes: [Double],
        _ observer: inout CachingObserver
    ) throws {
        var sweep = CachingSweep(start, solver)
        var left = sweeps
        for spread in passes {
            sweep.weigh(spread: spread)
            sweep.pass(order)
            left -= 1
            try observer.tell(max(bestSaved, sweep.state.savedSeconds))
        }
        sweep.weigh(spread: isLarge ? 0 : Self.tie)
        while left > 0 {
            left -= 1
            let saved = sweep.improve(order)
            try observer.tell(max(bestSaved, sweep.state.savedSeconds))
            guard saved > 1e-12 * sweep.state.savedSeconds else { break }
        }
        observer.done += 1
        consider(sweep.state)
    }

    private mutating func consider(_ state: CachingState) {
        let saved = state.savedSeconds
        if saved > bestSaved { (best, bestSaved) = (state, saved) }
    }

    /// Empties some servers of the best placement or fills them at random, and improves again.
    private mutating func shake(
        rounds: Int, _ observer: inout CachingObserver
    ) throws {
        guard index.serverCount > 1 else { return }
        let popularity = PopularityCaching(empty)
        observer.total += rounds
        for round in 0..<rounds {
            var state = best
            let random = popularity.random(using: &generator)
            let servers = Array(index.storage.indices).shuffled(using: &generator)
            for server in servers.prefix(1 + round % 2) {
                state.replace(server, with: random.content[server])
            }
            let others = Array(servers.dropFirst(1 + round % 2))
            try improve(
                state, others + servers.prefix(1 + round % 2), [], &observer)
        }
    }
}
