import Synchronization

/// One piece of divided work at a time: its chunks, and how many of them are unfinished.
///
/// The body lives on its caller's stack. That is safe because it is read only by a thread that has
/// claimed a chunk, and the caller stays until every claimed chunk is finished.
final class ForkJoin: @unchecked Sendable {
    /// The number of chunks in the upper half, the next one to claim in the lower half. One word,
    /// so that a claim fails if the work has been replaced in the meantime; and if the same word
    /// stands there again, the claim is one of the new work, which is as good.
    private let claims = Atomic<UInt64>(0)
    private let unfinished = Atomic<Int>(0)
    private let callerBed = Bed()
    private var body: UnsafePointer<(Int) -> Void>?

    /// Whether a chunk is there to be claimed.
    var hasChunks: Bool {
        let word = claims.load(ordering: .sequentiallyConsistent)
        return word & 0xffff_ffff < word >> 32
    }

    /// Runs all chunks of `body`, together with whoever calls `help`; `wake` is called when chunks
    /// are there. Only one thread at a time may call this.
    func run(_ chunks: Int, _ body: (Int) -> Void, wake: () -> Void) {
        precondition(chunks <= Int(Int32.max), "a chunk's number has 31 bits")
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { pointer in
                self.body = pointer
                unfinished.store(chunks, ordering: .relaxed)
                claims.store(UInt64(chunks) << 32, ordering: .sequentiallyConsistent)
                wake()
                help()
                while unfinished.load(ordering: .acquiring) > 0 {
                    callerBed.rest { unfinished.load(ordering: .sequentiallyConsistent) == 0 }
                }
                self.body = nil
            }
        }
    }

    /// Claims and runs chunks until there are none.
    func help() {
        while let chunk = claim() {
            perform(chunk)
            if unfinished.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 {
                callerBed.wake()
            }
        }
    }

    /// A function of its own, so that nothing of the body is held any more when the chunk counts as
    /// finished.
    @inline(never)
    private func perform(_ chunk: Int) {
        guard let body else { preconditionFailure("unfinished work has a body") }
        body.pointee(chunk)
    }

    private func claim() -> Int? {
        var word = claims.load(ordering: .acquiring)
        while word & 0xffff_ffff < word >> 32 {
            let (exchanged, original) = claims.weakCompareExchange(
                expected: word, desired: word + 1, ordering: .acquiringAndReleasing)
            if exchanged { return Int(word & 0xffff_ffff) }
            word = original
        }
        return nil
    }
}
