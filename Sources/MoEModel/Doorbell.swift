import Dispatch
import Foundation

/// A counting semaphore whose waiter looks for a short while before it sleeps.
///
/// Waking a sleeping thread costs 5 µs on a busy machine and 50 µs on an idle virtual one, whose
/// processor has been halted; a hop needs six of them. Looking is bounded, and gives way to any
/// thread that wants to run, so a machine with more work than processors loses little.
package final class Doorbell: Sendable {
    private let rings = DispatchSemaphore(value: 0)
    private let looks: Int

    /// - Parameter looks: how often a waiter looks before it sleeps; one look takes about 0.5 µs.
    package init(looks: Int = 600) {
        self.looks = looks
    }

    /// Lets one waiter go on, now or later.
    package func ring() {
        rings.signal()
    }

    /// Waits for a ring.
    ///
    /// - Parameter timeout: nil waits for ever; zero only looks, and gives way to nobody.
    /// - Returns: false if none came in time.
    package func wait(timeout: Duration? = nil) -> Bool {
        let past = DispatchTime(uptimeNanoseconds: 1)
        guard timeout != .zero else { return rings.wait(timeout: past) == .success }
        for _ in 0..<looks {
            if rings.wait(timeout: past) == .success { return true }
            sched_yield()
        }
        guard let timeout else { return rings.wait(timeout: .distantFuture) == .success }
        guard timeout > .zero else { return false }
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        return rings.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success
    }
}
