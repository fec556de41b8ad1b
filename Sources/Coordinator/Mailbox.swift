import Dispatch
import Synchronization

/// Where the transport's threads leave what the inference thread waits for.
///
/// A mutex and a semaphore: measured at 30–35 µs for a whole loopback round trip, a third of what
/// an asynchronous stream costs.
final class Mailbox<Letter: Sendable>: Sendable {
    private let letters = Mutex<[Letter]>([])
    private let arrived = DispatchSemaphore(value: 0)

    /// Leaves a letter; never blocks for long.
    func post(_ letter: Letter) {
        letters.withLock { $0.append(letter) }
        arrived.signal()
    }

    /// The oldest letter, waiting for at most `timeout`; nil when none came.
    func next(timeout: Duration) -> Letter? {
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        guard arrived.wait(timeout: .now() + .nanoseconds(max(0, nanoseconds))) == .success
        else { return nil }
        return letters.withLock { $0.removeFirst() }
    }
}
