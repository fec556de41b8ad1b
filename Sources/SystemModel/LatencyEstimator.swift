import Foundation

/// What a device's answers say about `o_k` and `t_k` (methods, section 1; the estimator is ours).
///
/// Messages of about the same number of rows are kept together (powers of two), each size with an
/// exponentially weighted mean; `o_k` and `t_k` are a line through the sizes. So an hour of single
/// tokens does not forget what a prompt taught, and a prompt does not hide what a single token
/// takes. What is far outside a size's usual spread is left out, unless it goes on: then the device
/// has changed, the size begins anew, and the others count little until they are seen again.
package struct LatencyEstimator: Sendable, Equatable {
    /// One answered message.
    package struct Sample: Sendable, Equatable {
        /// Rows of activations in it.
        package var rows: Int
        /// From sending it to having the answer, in seconds.
        package var roundTripSeconds: Double
        /// The part that the device says it computed, in seconds.
        package var computeSeconds: Double

        package init(rows: Int, roundTripSeconds: Double, computeSeconds: Double) {
            self.rows = rows
            self.roundTripSeconds = roundTripSeconds
            self.computeSeconds = computeSeconds
        }
    }

    /// What is believed of a device.
    package struct Estimate: Sendable, Equatable, Codable {
        /// `o_k`, in seconds.
        package var messageSeconds: Double
        /// The part of `t_k` on the way, both ways together, in seconds per row.
        package var airSecondsPerRow: Double
        /// The part of `t_k` in which the device computes, in seconds per row.
        package var computeSecondsPerRow: Double

        package init(
            messageSeconds: Double, airSecondsPerRow: Double, computeSecondsPerRow: Double
        ) {
            self.messageSeconds = messageSeconds
            self.airSecondsPerRow = airSecondsPerRow
            self.computeSecondsPerRow = computeSecondsPerRow
        }

        /// As planners take it; a token always takes some time.
        package var latency: DeviceLatency {
            DeviceLatency(
                message: Seconds(messageSeconds),
                token: Seconds(max(airSecondsPerRow + computeSecondsPerRow, 1e-9)))
        }
    }

    /// What is believed before anything was measured.
    private let prior: Estimate
    /// `sizes[b]` has seen messages of `2^b ..< 2^(b + 1)` rows.
    private var sizes: [MessageSize] = []
    /// Samples taken so far, outliers included.
    package private(set) var count = 0

    /// - Parameter prior: returned until the first sample.
    package init(prior: Estimate) {
        self.prior = prior
    }

    /// Takes an answered message in.
    ///
    /// - Precondition: at least one row; times that are not negative.
    package mutating func add(_ sample: Sample) {
        precondition(sample.rows >= 1, "a message has at least one row")
        precondition(
            sample.roundTripSeconds >= 0 && sample.computeSeconds >= 0, "times are not negative")
        count += 1
        let place = sample.rows.bitWidth - 1 - sample.rows.leadingZeroBitCount
        while sizes.count <= place { sizes.append(MessageSize()) }
        guard sizes[place].add(sample, number: count) else { return }
        for other in sizes.indices where other != place { sizes[other].distrust() }
    }

    /// The device as it is now.
    ///
    /// Where only one size of message was seen, nothing tells `o_k` from the way's part of `t_k`:
    /// the way is then all `o_k`, and computing all `t_k`, which predicts that size rightly.
    package var estimate: Estimate {
        let points = sizes.compactMap { $0.point(at: count) }
        guard !points.isEmpty else { return prior }
        let way = Line(points.map { ($0.rows, max(0, $0.roundTrip - $0.compute), $0.weight) })
        let compute = Line(points.map { ($0.rows, $0.compute, $0.weight) })
        let single = points.count == 1
        return Estimate(
            messageSeconds: way.offset + (single ? 0 : compute.offset),
            airSecondsPerRow: way.slope,
            computeSecondsPerRow: single ? points[0].compute / points[0].rows : compute.slope)
    }
}

/// Messages of about one size.
private struct MessageSize: Sendable, Equatable {
    /// Samples that are looked at together at the start, and after a change.
    static let startCount = 7
    /// A sample counts as one in this many of the mean.
    static let memory = 32.0
    /// Spreads from the mean beyond which a sample is an outlier.
    static let outlierSpreads = 5.0
    /// A spread is at least this share of the mean.
    static let leastSpread = 0.02
    /// After this many other samples without one of its own a size counts half.
    static let halfLife = 512.0
    /// The weight of a size that was not seen since the device changed.
    static let distrusted = 0.001

    /// At the start, or outliers in a row.
    private var unusual: [LatencyEstimator.Sample] = []
    private var rows = 0.0
    private var roundTrip = 0.0
    private var compute = 0.0
    /// Mean absolute deviation of the round trip.
    private var spread = 0.0
    private var count = 0
    private var lastNumber = 0
    private var trust = 1.0

    /// Takes a sample in; whether it shows that the device has changed.
    mutating func add(_ sample: LatencyEstimator.Sample, number: Int) -> Bool {
        lastNumber = number
        let limit = Self.outlierSpreads * max(spread, Self.leastSpread * roundTrip)
        let deviation = abs(sample.roundTripSeconds - roundTrip)
        guard count > 0, trust == 1, deviation <= limit else {
            unusual.append(sample)
            guard unusual.count == Self.startCount else { return false }
            let isChange = count > 0 && trust == 1
            begin()
            return isChange
        }
        unusual = []
        count += 1
        let share = 1 / min(Double(count), Self.memory)
        rows += share * (Double(sample.rows) - rows)
        roundTrip += share * (sample.roundTripSeconds - roundTrip)
        compute += share * (sample.computeSeconds - compute)
        spread += share * (deviation - spread)
        return false
    }

    /// Another size has shown that the device is another than it was.
    mutating func distrust() {
        trust = Self.distrusted
    }

    /// Means and weight at the moment of sample `number`; nil before any sample.
    func point(
        at number: Int
    ) -> (rows: Double, roundTrip: Double, compute: Double, weight: Double)? {
        let age = exp2(-Double(number - lastNumber) / Self.halfLife)
        if count == 0 || (trust < 1 && !unusual.isEmpty) {
            guard !unusual.isEmpty else { return nil }
            let start = Self.medians(unusual)
            // The noise is in proportion to the time.
            return (
                start.rows, start.roundTrip, start.compute,
                age * Double(unusual.count) / max(start.roundTrip * start.roundTrip, 1e-18)
            )
        }
        let evidence = trust * min(Double(count), Self.memory)
        let weight = age * evidence / max(roundTrip * roundTrip, 1e-18)
        return (rows, roundTrip, compute, weight)
    }

    /// Starts from the middle of the unusual samples.
    private mutating func begin() {
        (rows, roundTrip, compute) = Self.medians(unusual)
        spread = Self.median(unusual.map { abs($0.roundTripSeconds - roundTrip) })
        count = Self.startCount
        trust = 1
        unusual = []
    }

    private static func medians(
        _ samples: [LatencyEstimator.Sample]
    ) -> (rows: Double, roundTrip: Double, compute: Double) {
        (
            samples.reduce(0) { $0 + Double($1.rows) } / Double(samples.count),
            median(samples.map(\.roundTripSeconds)), median(samples.map(\.computeSeconds))
        )
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// A weighted least-squares line that is nowhere negative from 0 on.
private struct Line {
    private(set) var offset: Double
    private(set) var slope: Double

    init(_ points: [(x: Double, y: Double, weight: Double)]) {
        var (sum, x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for point in points {
            sum += point.weight
            x += point.weight * point.x
            y += point.weight * point.y
            xx += point.weight * point.x * point.x
            xy += point.weight * point.x * point.y
        }
        let determinant = sum * xx - x * x
        slope = determinant > 1e-12 * sum * xx ? (sum * xy - x * y) / determinant : 0
        slope = max(0, slope)
        offset = (y - slope * x) / sum
        guard offset < 0 else { return }
        offset = 0
        slope = max(0, xy / xx)
    }
}
