import Dispatch
import Foundation

/// Ctrl-C and SIGTERM as something to await, so that a command can clean up before it ends.
struct Interrupt {
    private let sources: [any DispatchSourceSignal]
    /// Their numbers as they come; for one reader, who may not be cancelled and come again.
    let signals: AsyncStream<Int32>

    /// From now on the two signals no longer end the process by themselves.
    init() {
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.signals = signals
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
    }

    /// Returns when one of the signals comes: the exit code that a shell expects, 128 + number.
    func wait() async -> Int32 {
        for await number in signals { return 128 + number }
        return 0
    }

    /// Runs `body` until it ends or a signal comes; then it is cancelled.
    ///
    /// - Returns: its result, or nil if a signal came first.
    func race<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result? {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                _ = await wait()
                return nil
            }
            let first = try await group.next()
            group.cancelAll()
            return first ?? nil
        }
    }
}

/// Sound: the sources are only kept alive here, and the stream has one reader.
extension Interrupt: @unchecked Sendable {}
