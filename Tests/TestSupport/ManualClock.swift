import Synchronization
import SystemModel

/// A clock that stands still until a test moves it.
package final class ManualClock: MonotonicClock {
    private let time = Mutex(Duration.zero)

    package init() {}

    package var now: Duration { time.withLock { $0 } }

    /// Moves the clock forward.
    package func advance(by duration: Duration) {
        time.withLock { $0 += duration }
    }
}
