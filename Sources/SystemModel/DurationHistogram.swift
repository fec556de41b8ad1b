/// How often something took at most so long. Buckets have fixed bounds, so that histograms of
/// different times and machines can be added and subtracted.
package struct DurationHistogram: Sendable, Equatable {
    /// Upper bounds of the buckets in seconds, ascending; one more bucket is beyond the last.
    package static let bounds = [
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
        2.5, 5, 10, 30, 60, 300,
    ]

    /// How many fell into each bucket: `bounds.count + 1`.
    package private(set) var counts = Array(repeating: 0, count: bounds.count + 1)
    /// Of all durations, in seconds.
    package private(set) var sum = 0.0

    package init() {}

    /// How many durations were added.
    package var count: Int { counts.reduce(0, +) }

    /// Adds a duration in seconds.
    package mutating func add(_ seconds: Double) {
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum += seconds
    }

    /// What was added since `earlier`, which this histogram once was.
    package func since(_ earlier: DurationHistogram) -> DurationHistogram {
        var difference = self
        for index in counts.indices { difference.counts[index] -= earlier.counts[index] }
        difference.sum -= earlier.sum
        return difference
    }

    /// The duration in seconds that a share of all did not exceed, read off the buckets by straight
    /// lines; nil without any.
    package func quantile(_ share: Double) -> Double? {
        let wanted = share * Double(count)
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            let lower = index > 0 ? Self.bounds[index - 1] : 0
            let upper = index < Self.bounds.count ? Self.bounds[index] : lower
            if below + Double(count) >= wanted {
                return lower + (upper - lower) * (wanted - below) / Double(count)
            }
            below += Double(count)
        }
        return nil
    }
}
