import MoEModel
import Synchronization

/// Where the transport's threads leave what the inference thread waits for.
///
/// No asynchronous stream: it would cost three times the round trip.
final class Mailbox<Letter: Sendable>: Sendable {
    private let letters = Mutex<[Letter]>([])
    private let doorbell = Doorbell()

    /// Leaves a letter; never blocks for long.
    func post(_ letter: Letter) {
        letters.withLock { $0.append(letter) }
        doorbell.ring()
    }

    /// The oldest letter, waiting for at most `timeout`; nil when none came.
    func next(timeout: Duration) -> Letter? {
        guard doorbell.wait(timeout: timeout) else { return nil }
        return letters.withLock { $0.removeFirst() }
    }
}
