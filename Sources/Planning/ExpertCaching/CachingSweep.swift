/// One placement under improvement: servers are taken in turn, each emptied and solved again.
struct CachingSweep {
    private(set) var state: CachingState
    private var solver: ServerSolver

    init(_ state: CachingState, _ solver: ServerSolver) {
        self.state = state
        self.solver = solver
    }

    /// What counts from now on.
    mutating func weigh(spread: Double) { solver.weigh(spread: spread) }

    /// Like `weigh(spread:)`, and what is not in `running` must save `pricePerByte` to be moved.
    mutating func weigh(spread: Double, pricePerByte: Double, running: [[Int]]) {
        solver.weigh(spread: spread, pricePerByte: pricePerByte, running: running)
    }

    /// Solves each server in order, whatever becomes of the whole.
    mutating func pass(_ order: [Int]) {
        for server in order { _ = resolve(server) }
    }

    /// Solves each server in order; an answer that saves less than before is taken back.
    ///
    /// - Returns: seconds per token saved by all of it.
    mutating func improve(_ order: [Int]) -> Double {
        var saved = 0.0
        for server in order where !solver.isCurrent(server) {
            let before = state.content[server]
            let gain = resolve(server)
            if gain < 0 {
                replace(server, with: before)
            } else {
                saved += gain
            }
        }
        return saved
    }

    /// Solves one server again; returns the seconds per token saved by that.
    mutating func resolve(_ server: Int) -> Double {
        let old = state.content[server]
        var saved = 0.0
        for expert in old { saved -= state.drop(expert, at: server) }
        let new = solver.solve(server, state)
        for expert in new { saved += state.store(expert, at: server) }
        if old != state.content[server] {
            solver.note(server, from: old, state)
        }
        return saved
    }

    /// Gives a server other room and other distances, and solves it.
    ///
    /// - Returns: entries that take another time than before, and the seconds per token saved.
    mutating func change(
        _ server: Int, storageBytes: Int, userSeconds: [Double]
    ) -> (entries: [Int], saved: Double) {
        let old = state.content[server]
        let before = state.entrySeconds
        var saved = 0.0
        for expert in old { saved -= state.drop(expert, at: server) }
        state.change(server, storageBytes: storageBytes, userSeconds: userSeconds)
        solver.forget(server)
        for expert in solver.solve(server, state) { saved += state.store(expert, at: server) }
        solver.note(server, from: old, state)
        return (before.indices.filter { before[$0] != state.entrySeconds[$0] }, saved)
    }

    /// Stores what is given, whatever was there.
    mutating func replace(_ server: Int, with experts: [Int]) {
        let old = state.content[server]
        state.replace(server, with: experts)
        solver.note(server, from: old, state)
    }

    /// Drops what saves nothing: it would only have to be moved.
    mutating func prune() {
        for server in state.content.indices {
            let old = state.content[server]
            for expert in old where state.drop(expert, at: server) > 0 {
                state.store(expert, at: server)
            }
            solver.note(server, from: old, state)
        }
    }
}
