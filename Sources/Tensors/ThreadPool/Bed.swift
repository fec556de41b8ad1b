import CKernels
import Dispatch
import Synchronization

/// Where one thread waits: it looks for about 100 µs, then sleeps until it is woken.
final class Bed: Sendable {
    /// A look takes about 25 ns.
    private static let looks = 4000

    private let isAsleep = Atomic<Bool>(false)
    private let alarm = DispatchSemaphore(value: 0)

    /// Returns when `isReady` says so, or when `wake` is called, perhaps without reason.
    func rest(until isReady: () -> Bool) {
        for _ in 0..<Self.looks {
            if isReady() { return }
            martlet_pause()
        }
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        // Between the last look and falling asleep it may have become ready, and the waker may have
        // seen nobody asleep. Whoever takes back the flag decides whether an alarm is under way.
        if isReady(),
            isAsleep.exchange(false, ordering: .sequentiallyConsistent)
        {
            return
        }
        alarm.wait()
    }

    /// Called after what makes `isReady` true.
    func wake() {
        if isAsleep.load(ordering: .sequentiallyConsistent),
            isAsleep.exchange(false, ordering: .sequentiallyConsistent)
        {
            alarm.signal()
        }
    }
}
