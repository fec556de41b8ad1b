import Foundation
import Synchronization

/// The process's threads for computing: fork and join, the calling thread takes part.
///
/// Work comes as numbered chunks that threads claim one after another. Whoever computes a chunk
/// computes the same numbers, so no result depends on the number of threads or on timing. A worker
/// that is slow to wake up finds its chunks already taken: on a machine with more work than
/// processors the caller just does all of it.
///
/// There is one pool, with one thread (none but the caller) until `use(threads:)`, which a program
/// calls once at its start: products are everywhere, and the processors are shared by all of them.
/// Only one caller at a time gets the workers. Another one, or a chunk that forks again, computes
/// all its chunks itself.
package final class ThreadPool: Sendable {
    /// The one pool.
    package static let shared = ThreadPool()

    /// Most threads that can be asked for.
    package static let limit = 256

    private let job = ForkJoin()
    private let count = Atomic<Int>(1)
    private let isTaken = Atomic<Bool>(false)
    private let workers = Mutex<[PoolWorker]>([])

    private init() {}

    /// How many threads compute, the caller among them.
    package var threads: Int { count.load(ordering: .relaxed) }

    /// Computes with that many threads from now on; workers that are no longer needed sleep.
    package func use(threads: Int) {
        precondition((1...Self.limit).contains(threads), "a pool has 1 to \(Self.limit) threads")
        workers.withLock { workers in
            while workers.count < threads - 1 { workers.append(PoolWorker(job)) }
        }
        count.store(threads, ordering: .relaxed)
    }

    /// Calls `body` once with each of `0..<chunks`, on any thread and in any order; returns when
    /// all calls have returned.
    ///
    /// - Parameter body: writes to places that no other chunk reads or writes.
    /// - Complexity: about 1 µs beyond the work while the workers still look for work, 5 to 50 µs
    ///   when they have gone to sleep (after about 100 µs without work).
    package func run(_ chunks: Int, _ body: (Int) -> Void) {
        let helpers = min(threads, chunks) - 1
        guard helpers > 0,
            isTaken.compareExchange(
                expected: false, desired: true, ordering: .acquiring
            ).exchanged
        else {
            for chunk in 0..<chunks { body(chunk) }
            return
        }
        job.run(chunks, body) {
            workers.withLock { for worker in $0.prefix(helpers) { worker.wake() } }
        }
        isTaken.store(false, ordering: .releasing)
    }
}

/// One thread beside the caller's.
private final class PoolWorker: Sendable {
    private let bed = Bed()

    init(_ job: ForkJoin) {
        let bed = bed
        let thread = Thread {
            while true {
                job.help()
                bed.rest { job.hasChunks }
            }
        }
        thread.name = "martlet-pool"
        thread.start()
    }

    func wake() { bed.wake() }
}
