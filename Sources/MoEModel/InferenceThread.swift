import Foundation
import Synchronization

/// The one thread that runs the model; asynchronous code submits steps to it and awaits them.
/// Loaders of weights have one too, in the background.
///
/// A step may block for as long as it waits for devices. On Swift's cooperative pool that would
/// starve everything else; a thread of its own may sleep as it likes.
package final class InferenceThread: Sendable {
    private let queue: StepQueue

    /// - Parameters:
    ///   - name: what tools that list threads show, cut where they show less.
    ///   - priority: in the background the thread also sleeps as soon as it has nothing to do.
    package init(name: String = "martlet-inference", priority: ThreadPriority = .normal) {
        let queue = StepQueue(priority == .normal ? Doorbell() : Doorbell(looks: 1))
        self.queue = queue
        let thread = Thread {
            priority.apply()
            while let step = queue.next() { step() }
        }
        thread.name = name
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
    private let doorbell: Doorbell

    init(_ doorbell: Doorbell) {
        self.doorbell = doorbell
    }

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
