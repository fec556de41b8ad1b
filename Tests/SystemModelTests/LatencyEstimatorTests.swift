import SystemModel
import Testing

/// A known device, noise of some percent, and now and then a message that was held up.
struct LatencyEstimatorTests {
    struct Device {
        var message = 3e-3
        var air = 40e-6
        var computeStart = 0.2e-3
        var compute = 15e-6

        /// One message's times: noise of ± `noise` of them, and an outlier with `outliers`.
        func sample(
            rows: Int, noise: Double, outliers: Double, using generator: inout SeededGenerator
        ) -> LatencyEstimator.Sample {
            let computed =
                (computeStart + compute * Double(rows))
                * (1 + noise * (2 * generator.uniform() - 1))
            var way =
                (message + air * Double(rows)) * (1 + noise * (2 * generator.uniform() - 1))
            if generator.uniform() < outliers { way *= 3 + 20 * generator.uniform() }
            return LatencyEstimator.Sample(
                rows: rows, roundTripSeconds: way + computed, computeSeconds: computed)
        }
    }

    static let prior = LatencyEstimator.Estimate(
        messageSeconds: 1, airSecondsPerRow: 2, computeSecondsPerRow: 3)
    /// Prompts and single tokens, as a base station sees them.
    static let rows = [1, 1, 1, 1, 1, 1, 2, 3, 8, 17, 64, 120, 256]

    private func fed(
        _ device: Device, _ estimator: LatencyEstimator? = nil, count: Int, seed: UInt64,
        rows: [Int] = Self.rows, noise: Double = 0.1, outliers: Double = 0.08
    ) -> LatencyEstimator {
        var estimator = estimator ?? LatencyEstimator(prior: Self.prior)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<count {
            let rows = rows[Int(generator.next() % UInt64(rows.count))]
            estimator.add(
                device.sample(rows: rows, noise: noise, outliers: outliers, using: &generator))
        }
        return estimator
    }

    private func expect(_ value: Double, near expected: Double, _ share: Double, _ note: String) {
        #expect(
            abs(value - expected) <= share * expected,
            "\(note): \(value) is not within \(share) of \(expected)")
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func messageAndRowTimesAreRecovered(_ seed: UInt64) {
        let device = Device()
        let estimate = fed(device, count: 600, seed: seed).estimate
        let note = "seed \(seed)"
        expect(estimate.messageSeconds, near: device.message + device.computeStart, 0.05, note)
        expect(estimate.airSecondsPerRow, near: device.air, 0.1, note)
        expect(estimate.computeSecondsPerRow, near: device.compute, 0.1, note)
    }

    /// A mean would be off by as much as the outliers weigh: this one is not.
    @Test func outliersAreLeftOut() {
        let clean = fed(Device(), count: 600, seed: 7, outliers: 0).estimate.latency
        let dirty = fed(Device(), count: 600, seed: 7, outliers: 0.1).estimate.latency
        for rows in [1, 64] {
            expect(
                dirty.seconds(tokens: rows).value, near: clean.seconds(tokens: rows).value, 0.05,
                "\(rows) rows")
        }
    }

    /// Single tokens alone say nothing of the slope, but their own time is right.
    @Test func oneSizeIsPredicted() {
        let device = Device()
        let estimate = fed(device, count: 200, seed: 3, rows: [1]).estimate
        let whole = device.message + device.air + device.computeStart + device.compute
        expect(estimate.latency.seconds(tokens: 1).value, near: whole, 0.05, "one row")
    }

    /// Thousands of single tokens do not forget what prompts taught.
    @Test func promptsAreRemembered() {
        let device = Device()
        var estimator = fed(device, count: 300, seed: 4)
        estimator = fed(device, estimator, count: 3000, seed: 5, rows: [1])
        let whole =
            device.message + device.computeStart + 100 * (device.air + device.compute)
        expect(estimator.estimate.latency.seconds(tokens: 100).value, near: whole, 0.1, "100 rows")
    }

    /// A device that becomes slow is not taken for a row of outliers.
    @Test func aChangeIsFollowed() {
        var slow = Device()
        slow.message *= 4
        slow.air *= 4
        let estimator = fed(Device(), count: 400, seed: 6)
        let soon = fed(slow, estimator, count: 40, seed: 8, rows: [1]).estimate
        expect(
            soon.latency.seconds(tokens: 1).value,
            near: slow.message + slow.air + slow.computeStart + slow.compute, 0.15, "40 later")
    }

    @Test func nothingMeasuredIsThePrior() {
        #expect(LatencyEstimator(prior: Self.prior).estimate == Self.prior)
    }
}
