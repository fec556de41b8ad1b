#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How work in the background, which no token waits for, lets others have the processor.
enum GivingWay {
    /// Bytes that are read between two looks at whether somebody else is ready: well under 0.1 ms.
    static let pieceBytes = 64 << 10

    /// Whoever is ready goes first. A scheduler lets a thread that has begun its slice go on for
    /// milliseconds otherwise, also beside one of higher priority that wakes up.
    static func look() { _ = sched_yield() }
}

extension WeightBytes {
    /// Calls `body` with one piece after another, each valid only until it returns, and gives way
    /// to other threads in between: for reading through much in the background.
    package func forEachPieceInBackground(_ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: GivingWay.pieceBytes) {
                let end = min(all.count, start + GivingWay.pieceBytes)
                body(UnsafeRawBufferPointer(rebasing: all[start..<end]))
                GivingWay.look()
            }
        }
    }
}
