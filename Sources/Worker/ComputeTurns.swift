import Dispatch
import Synchronization
package import SystemModel

/// Lets the control links' threads of one device compute one after another, as `TurnState` says.
///
/// A batch has all the device's processors: two at once would slow each other down and nobody could
/// say whose turn it is. With one base station nobody ever waits.
package final class ComputeTurns: Sendable {
    private struct State {
        var turns = TurnState()
        var sleepers: [TurnState.Ticket: DispatchSemaphore] = [:]
    }

    private let state = Mutex(State())
    private let clock: any MonotonicClock

    package init(clock: any MonotonicClock) {
        self.clock = clock
    }

    /// Computes when it is the station's turn; blocks the calling thread until then.
    func take<Result>(
        _ station: TurnState.Station, _ compute: () throws -> Result
    ) rethrows -> Result {
        let semaphore = state.withLock { state -> DispatchSemaphore? in
            guard let ticket = state.turns.arrived(station) else { return nil }
            let semaphore = DispatchSemaphore(value: 0)
            state.sleepers[ticket] = semaphore
            return semaphore
        }
        semaphore?.wait()
        let start = clock.now
        defer { finish(seconds: (clock.now - start).seconds) }
        return try compute()
    }

    private func finish(seconds: Double) {
        state.withLock { state in
            state.turns.finished(seconds: max(0, seconds))
                .flatMap { state.sleepers.removeValue(forKey: $0) }
        }?.signal()
    }
}
