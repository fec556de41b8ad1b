/// The best placement that can be reached from a running one by moving at most so many bytes.
///
/// Moving a byte has a price in seconds per token; the higher it is, the less is moved. The price
/// is bisected until what is moved fits. What is left of the budget then goes to the servers that
/// save most with the answer of the next lower price. A heuristic: whole servers are taken over.
struct CachingMigration {
    private static let bisections = 16

    private let running: CachingState
    private let budgetBytes: Int
    private let sweeps: Int
    private let solver: ServerSolver

    init(_ running: CachingState, budgetBytes: Int, sweeps: Int) {
        self.running = running
        self.budgetBytes = budgetBytes
        self.sweeps = sweeps
        solver = ServerSolver(
            running.index, StorageKnapsack(method: .accelerated, epsilon: 0))
    }

    /// - Parameter observe: told after each sweep; may throw to stop.
    func solve(_ observe: CachingObserver) throws -> CachingState {
        var observer = observe
        observer.total = Self.bisections
        var over = try improved(price: 0, &observer)
        guard moved(over) > budgetBytes else { return over }
        var within = running
        // No byte is worth more than everything that there is to save.
        let all = running.index.entryWeight.indices.reduce(0) {
            $0 + running.index.entryWeight[$1] * running.emptySeconds[$1]
        }
        var (low, high) = (all * 1e-15, all)
        for _ in 0..<Self.bisections {
            let price = (low * high).squareRoot()
            let state = try improved(price: price, &observer)
            if moved(state) > budgetBytes {
                (low, over) = (price, state)
            } else {
                high = price
                if state.savedSeconds > within.savedSeconds { within = state }
            }
            observer.done += 1
        }
        return takingOver(from: over, into: within)
    }

    private func improved(
        price: Double, _ observer: inout CachingObserver
    ) throws -> CachingState {
        var sweep = CachingSweep(running, solver)
        sweep.weigh(spread: 0, pricePerByte: price, running: running.content)
        let order = Array(running.index.storage.indices)
        for _ in 0..<sweeps {
            let saved = sweep.improve(order)
            try observer.tell(sweep.state.savedSeconds)
            guard saved > 1e-12 * sweep.state.savedSeconds else { break }
        }
        return sweep.state
    }

    private func takingOver(from wish: CachingState, into start: CachingState) -> CachingState {
        var state = start
        while true {
            var best: (rate: Double, server: Int, state: CachingState)?
            for server in state.index.storage.indices
            where state.content[server] != wish.content[server] {
                var next = state
                next.replace(server, with: wish.content[server])
                let bytes = moved(next)
                let gain = next.savedSeconds - state.savedSeconds
                guard bytes <= budgetBytes, gain > 0 else { continue }
                let rate = gain / Double(max(1, bytes - moved(state)))
                if rate > best?.rate ?? 0 { best = (rate, server, next) }
            }
            guard let best else { return state }
            state = best.state
        }
    }

    /// Bytes to move from the running placement; dropping costs nothing.
    private func moved(_ state: CachingState) -> Int {
        zip(running.content, state.content).reduce(0) { sum, pair in
            let kept = Set(pair.0)
            return pair.1.reduce(sum) {
                $0 + (kept.contains($1) ? 0 : state.index.bytes(of: $1))
            }
        }
    }
}
