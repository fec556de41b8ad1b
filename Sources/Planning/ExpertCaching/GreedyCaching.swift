/// Stores one expert after another, each time the one that saves most per byte.
///
/// With one expert per token the saving is submodular: a gain only falls while experts are added,
/// so gains are computed again only for the expert that is about to be taken (lazy greedy). With
/// several, gains also rise; those that may have are computed again after each expert. Plain greedy
/// saves nothing where tokens ask for several experts and nothing is stored yet.
struct GreedyCaching {
    private struct Candidate {
        let perByte: Double
        let server: Int32
        let expert: Int32

        func isBefore(_ other: Candidate) -> Bool {
            (other.perByte, server, expert) < (perByte, other.server, other.expert)
        }
    }

    private let isSubmodular: Bool
    private var heap: [Candidate] = []
    private(set) var state: CachingState

    /// - Parameter state: what is stored already.
    init(_ state: CachingState) {
        self.state = state
        isSubmodular = state.index.layers.allSatisfy(\.isSingle)
        for server in state.index.storage.indices {
            for expert in 0..<state.index.expertCount { offer(expert, server) }
        }
        for node in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(node) }
    }

    /// Stores until nothing that fits saves anything.
    mutating func run() {
        while let best = heap.first {
            let (server, expert) = (Int(best.server), Int(best.expert))
            guard let now = candidate(expert, server) else {
                removeFirst()
                continue
            }
            guard now.perByte >= best.perByte else {
                heap[0] = now
                sink(0)
                continue
            }
            removeFirst()
            state.store(expert, at: server)
            if !isSubmodular { offerAgain(after: expert) }
        }
    }

    /// What storing an expert saves now; nil if it cannot be stored or saves nothing.
    private func candidate(_ expert: Int, _ server: Int) -> Candidate? {
        let bytes = state.index.bytes(of: expert)
        guard bytes <= state.freeBytes[server], !state.holds(server, expert) else { return nil }
        let gain = state.gain(expert, at: server)
        guard gain > 0 else { return nil }
        return Candidate(
            perByte: gain / Double(bytes), server: Int32(server), expert: Int32(expert))
    }

    private mutating func offer(_ expert: Int, _ server: Int) {
        guard !state.index.cells(of: expert).isEmpty, let new = candidate(expert, server) else {
            return
        }
        heap.append(new)
    }

    /// Gains that an expert's arrival may have raised: those of its sets' slowest experts.
    private mutating func offerAgain(after expert: Int) {
        let index = state.index
        var slowest: Set<Int> = []
        for cell in index.cells(of: expert) {
            for place in Int(index.cellStart[cell])..<Int(index.cellStart[cell + 1]) {
                let entry = Int(index.cellEntries[place])
                let first = state.cell(index.members(of: entry).lowerBound, of: entry)
                slowest.insert(Int(index.cellExpert[first]))
            }
        }
        for expert in slowest.sorted() {
            for server in index.storage.indices {
                let count = heap.count
                offer(expert, server)
                if heap.count > count { rise(count) }
            }
        }
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink(0)
    }

    private mutating func rise(_ start: Int) {
        var node = start
        while node > 0, heap[node].isBefore(heap[(node - 1) / 2]) {
            heap.swapAt(node, (node - 1) / 2)
            node = (node - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var node = start
        while true {
            var first = node
            for child in [2 * node + 1, 2 * node + 2] where child < heap.count {
                if heap[child].isBefore(heap[first]) { first = child }
            }
            guard first != node else { return }
            heap.swapAt(node, first)
            node = first
        }
    }
}

extension GreedyCaching {
    /// Greedy from the empty placement and from the best single expert, and the better of the two;
    /// with `seedSize` over 1, from every set of up to so many experts. With 3 and one expert per
    /// token this has the guarantee of (1 - 1/e) for a knapsack (Sviridenko 2004; SlimCaching).
    ///
    /// - Complexity: O((servers · experts)^seedSize) runs of greedy.
    static func best(_ empty: CachingState, seedSize: Int) -> CachingState {
        var best = completed(empty)
        var bestSaved = best.savedSeconds
        func consider(_ seeded: CachingState) {
            let state = completed(seeded)
            let saved = state.savedSeconds
            if saved > bestSaved { (best, bestSaved) = (state, saved) }
        }
        if seedSize <= 1 {
            if let single = bestSingle(empty) { consider(single) }
        } else {
            forEachSeed(empty, from: 0, size: seedSize, consider)
        }
        return best
    }

    /// How many placements of up to `seedSize` experts there are to start from, at most.
    static func seedCount(_ index: CachingIndex, seedSize: Int) -> Double {
        let places = Double(index.serverCount) * Double(index.expertCount)
        return (0..<seedSize).reduce(1) { product, size in
            product * max(1, places - Double(size)) / Double(size + 1)
        }
    }

    private static func completed(_ state: CachingState) -> CachingState {
        var greedy = GreedyCaching(state)
        greedy.run()
        return greedy.state
    }

    private static func bestSingle(_ empty: CachingState) -> CachingState? {
        var best = (gain: 0.0, server: 0, expert: 0)
        for server in empty.index.storage.indices {
            for expert in 0..<empty.index.expertCount
            where empty.index.bytes(of: expert) <= empty.freeBytes[server] {
                let gain = empty.gain(expert, at: server)
                if gain > best.gain { best = (gain, server, expert) }
            }
        }
        guard best.gain > 0 else { return nil }
        var state = empty
        state.store(best.expert, at: best.server)
        return state
    }

    private static func forEachSeed(
        _ state: CachingState, from first: Int, size: Int, _ body: (CachingState) -> Void
    ) {
        let index = state.index
        for place in first..<index.serverCount * index.expertCount {
            let (server, expert) = place.quotientAndRemainder(dividingBy: index.expertCount)
            guard index.bytes(of: expert) <= state.freeBytes[server],
                !index.cells(of: expert).isEmpty
            else { continue }
            var next = state
            next.store(expert, at: server)
            body(next)
            if size > 1 { forEachSeed(next, from: place + 1, size: size - 1, body) }
        }
    }
}
