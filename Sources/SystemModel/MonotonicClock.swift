/// What time it is: one of the four seams. Tests and the simulator give one they move by hand.
package protocol MonotonicClock: Sendable {
    /// Time since some fixed moment; never goes back.
    var now: Duration { get }
}

extension Duration {
    /// This duration in seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    /// This duration in milliseconds.
    package var milliseconds: Double { seconds * 1e3 }
}
