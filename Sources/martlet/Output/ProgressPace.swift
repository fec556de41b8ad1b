import Synchronization

/// Keeps progress to one line a second for each subject, and its last one.
final class ProgressPace: Sendable {
    private let clock = SystemClock()
    private let told = Mutex<[String: Duration]>([:])

    /// Whether this line is to be told; if so, the next one waits a second.
    func allows(_ subject: String, isLast: Bool) -> Bool {
        let now = clock.now
        return told.withLock { told in
            if !isLast, let last = told[subject], now - last < .seconds(1) { return false }
            told[subject] = now
            return true
        }
    }
}
