/// Keeps a placement good while servers change: only the server that changed and the few that feel
/// it most are solved again.
package struct CachingReplanner: Sendable {
    /// Servers solved again after one has changed.
    private static let neighbourCount = 16

    private var sweep: CachingSweep

    /// - Parameter placement: what is stored now.
    package init(_ planner: ExpertCachingPlanner, _ placement: CachePlacement) {
        let knapsack = StorageKnapsack(method: .accelerated, epsilon: 0)
        let state = planner.state(placement)
        sweep = CachingSweep(state, ServerSolver(state.index, knapsack))
    }

    /// The placement as it stands.
    package var plan: ExpertCachingPlan { ExpertCachingPlan(sweep.state) }

    /// Plans again after a server's room or distances have changed; a server that has gone has no
    /// room.
    ///
    /// - Parameter userSeconds: `d_{u,n}`, `[users]`.
    /// - Complexity: O(sets) per server that is solved, at most 17.
    package mutating func change(server: Int, storageBytes: Int, userSeconds: [Double]) {
        let changed = sweep.change(
            server, storageBytes: storageBytes, userSeconds: userSeconds
        ).entries
        _ = sweep.improve(neighbours(of: changed, besides: server))
    }

    /// Servers that could make the most of the sets that take another time now, ascending.
    private func neighbours(of entries: [Int], besides server: Int) -> [Int] {
        let index = sweep.state.index
        var gains: [(seconds: Double, server: Int)] = []
        for other in index.storage.indices where other != server {
            var gain = 0.0
            for entry in entries {
                let user = Int(index.entryUser[entry])
                let saved =
                    sweep.state.entrySeconds[entry] - index.seconds(server: other, user: user)
                if saved > 0 { gain += index.entryWeight[entry] * saved }
            }
            if gain > 0 { gains.append((gain, other)) }
        }
        gains.sort { ($1.seconds, $0.server) < ($0.seconds, $1.server) }
        return gains.prefix(Self.neighbourCount).map(\.server).sorted()
    }
}
