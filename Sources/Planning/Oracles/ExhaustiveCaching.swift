/// Tries every placement: the slow twin of all others, for a handful of experts.
///
/// More content never costs time, so only contents to which nothing fits any more are tried.
package struct ExhaustiveCaching {
    /// More are refused: some ten seconds.
    package static let placementLimit = 1e6

    private let empty: CachingState
    /// `[servers]`: contents.
    private let contents: [[[Int]]]

    /// How many placements there are to try; infinite if even listing them takes too long.
    package static func placementCount(_ planner: ExpertCachingPlanner) -> Double {
        let experts = planner.index.usefulExperts.count
        guard experts <= 24 else { return .infinity }
        return planner.index.storage
            .reduce(1) { $0 * Double(full(planner.index, $1).count) }
    }

    init(_ empty: CachingState) {
        self.empty = empty
        contents = empty.index.storage.map { Self.full(empty.index, $0) }
    }

    /// The placement that saves most; of equals the first found.
    func solve() -> CachingState {
        var best = (saved: 0.0, state: empty)
        explore(empty, server: 0, &best)
        return best.state
    }

    private func explore(
        _ state: CachingState, server: Int, _ best: inout (saved: Double, state: CachingState)
    ) {
        guard server < contents.count else {
            let saved = state.savedSeconds
            if saved > best.saved { best = (saved, state) }
            return
        }
        for content in contents[server] {
            var next = state
            for expert in content { next.store(expert, at: server) }
            explore(next, server: server + 1, &best)
        }
    }

    /// Every set of useful experts that fits and to which none can be added.
    private static func full(_ index: CachingIndex, _ capacity: Int) -> [[Int]] {
        let experts = index.usefulExperts
        var contents: [[Int]] = []
        func choose(_ place: Int, _ chosen: [Int], _ free: Int, _ leastLeftOut: Int) {
            guard place < experts.count else {
                if leastLeftOut > free { contents.append(chosen) }
                return
            }
            let bytes = index.bytes(of: experts[place])
            if bytes <= free {
                choose(place + 1, chosen + [experts[place]], free - bytes, leastLeftOut)
            }
            choose(place + 1, chosen, free, min(leastLeftOut, bytes))
        }
        choose(0, [], capacity, .max)
        return contents
    }
}

extension CachingIndex {
    /// Experts that somebody asks for.
    fileprivate var usefulExperts: [Int] {
        (0..<expertCount).filter { !cells(of: $0).isEmpty }
    }
}
