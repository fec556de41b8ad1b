import SystemModel

/// Baselines that look at single experts only.
struct PopularityCaching {
    private let empty: CachingState
    private var index: CachingIndex { empty.index }
    /// `[experts]`: how often a token of any user asks for it.
    private let popularity: [Double]

    /// - Parameter empty: nothing is stored.
    init(_ empty: CachingState) {
        self.empty = empty
        popularity = Self.popularity(empty.index) { _ in true }
    }

    /// The same content everywhere: the experts that all users ask for most.
    func same() -> CachingState {
        let order = ranked(popularity)
        return filled { _ in order }
    }

    /// Least frequently used goes: each server has what the users nearest to it ask for most, one
    /// that is nearest to nobody what all ask for most.
    func nearest() -> CachingState {
        let nearest = (0..<index.userCount).map { user in
            index.storage.indices.min {
                (index.seconds(server: $0, user: user), $0)
                    < (index.seconds(server: $1, user: user), $1)
            }
        }
        return filled { server in
            let own = Self.popularity(index) { nearest[$0] == server }
            return ranked(own.contains { $0 > 0 } ? own : popularity)
        }
    }

    /// Popular experts first, each stored once before any is stored twice; servers in turn.
    func dealt() -> CachingState {
        var state = empty
        let order = ranked(popularity)
        let least = order.map { index.bytes(of: $0) }.min() ?? 0
        var open = index.storage.indices.filter { index.storage[$0] >= least }
        for _ in index.storage.indices {
            for expert in order {
                let bytes = index.bytes(of: expert)
                let place = open.firstIndex {
                    state.freeBytes[$0] >= bytes && !state.holds($0, expert)
                }
                guard let place else { continue }
                let server = open.remove(at: place)
                state.store(expert, at: server)
                if state.freeBytes[server] >= least { open.append(server) }
            }
            if open.isEmpty { break }
        }
        return state
    }

    /// Experts in random order.
    func random(using generator: inout SeededGenerator) -> CachingState {
        var orders: [[Int]] = []
        for _ in index.storage {
            orders.append(Array(0..<index.expertCount).shuffled(using: &generator))
        }
        return filled { orders[$0] }
    }

    /// Each server takes what fits, in its own order.
    private func filled(_ order: (Int) -> [Int]) -> CachingState {
        var state = empty
        for server in index.storage.indices {
            for expert in order(server) where index.bytes(of: expert) <= state.freeBytes[server] {
                state.store(expert, at: server)
            }
        }
        return state
    }

    /// Experts that anybody asks for, most popular first, ties by index.
    private func ranked(_ popularity: [Double]) -> [Int] {
        popularity.indices.filter { popularity[$0] > 0 }
            .sorted { (popularity[$1], $0) < (popularity[$0], $1) }
    }

    private static func popularity(
        _ index: CachingIndex, of isCounted: (Int) -> Bool
    ) -> [Double] {
        var popularity = [Double](repeating: 0, count: index.expertCount)
        for entry in 0..<index.entryCount where isCounted(Int(index.entryUser[entry])) {
            for member in index.members(of: entry) {
                let expert = Int(index.cellExpert[Int(index.entryCells[member])])
                popularity[expert] += index.entryWeight[entry]
            }
        }
        return popularity
    }
}
