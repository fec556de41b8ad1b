import Synchronization

/// How many rows went to which device in the layers of the recent past. The inference thread
/// writes, whoever shares the spectrum reads.
package final class RowLog: Sendable {
    /// Layers that are remembered.
    private static let layers = 64

    private struct State {
        var rounds: [[String: Int]] = []
        var next = 0
        var count = 0
    }

    private let state = Mutex(State())

    /// Layers with devices so far.
    package var count: Int { state.withLock { $0.count } }
    /// Rows by device name of the last layers, in no particular order.
    package var recent: [[String: Int]] { state.withLock { $0.rounds } }

    func add(_ rows: [String: Int]) {
        state.withLock { state in
            state.count += 1
            guard state.rounds.count == Self.layers else { return state.rounds.append(rows) }
            state.rounds[state.next] = rows
            state.next = (state.next + 1) % Self.layers
        }
    }
}
