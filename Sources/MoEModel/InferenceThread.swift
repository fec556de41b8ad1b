import Foundation
import Synchronization

/// The one thread that runs the model; asynchronous code submits steps to it and awaits them.
///
/// A step may block for as long as it waits for devices. On Swift's cooperative pool that would
/// starve everything else; a thread of its own may sleep as it likes.
package final class InferenceThread: Sendable {
    private let queue = StepQueue()

    package init() {
        let queue = queue
        let thread = Thread { while let step = queue.next() { step() } }
        thread.name = "martlet-inference"
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { queue.close() }

    /// Runs `step` on the thread, after all steps submitted before it; nobody waits for it.
    package func submit(_ step: @escaping @Sendable () -> Void) {
        queue.add(step)
    }

    /// Runs `step` on the thread, after all steps submitted before it.
    ///
    /// - Throws: what `step` throws.
    package func run<Result: Sendable>(
        _ step: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.add { continuation.resume(with: Swift.Result { try step() }) }
        }
    }
}

/// Steps waiting for the thread, first in, first out.
private final class StepQueue: Sendable {
    /// Nil ends the thread.
    private let steps = Mutex<[(@Sendable () -> Void)?]>([])
    private let doorbell = Doorbell()

    func add(_ step: @escaping @Sendable () -> Void) {
        steps.withLock { $0.append(step) }
        doorbell.ring()
    }

    /// Blocks until a step is there; nil after `close()` once all steps are done.
    func next() -> (@Sendable () -> Void)? {
        guard doorbell.wait() else { return nil }
        return steps.withLock { $0.removeFirst() }
    }

    func close() {
        steps.withLock { $0.append(nil) }
        doorbell.ring()
    }
}
