import Foundation

/// Standard input for asynchronous code: a thread of its own blocks on it.
enum StandardInput {
    /// The lines, without their ends, until the input ends.
    static func lines() -> AsyncStream<String> {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        Thread.detachNewThread {
            while let line = readLine() { continuation.yield(line) }
            continuation.finish()
        }
        return lines
    }
}
