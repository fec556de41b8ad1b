import SystemModel

/// The machine's monotonic clock.
struct SystemClock: MonotonicClock {
    private static let start = ContinuousClock().now

    var now: Duration { ContinuousClock().now - Self.start }
}
