import Foundation
import SystemModel
import Testing

/// Path loss against figures worked out by hand from TR 38.901, fading against its statistics.
struct RadioTests {
    let carrier = Hertz(3.5e9)

    @Test func referenceFormulaAndFreeSpaceAgree() {
        // 32.4 is 20 log10(4π · 1e9 / c) rounded.
        let distance = Metres(100)
        let reference = PathLoss.reference.loss(distance: distance, carrier: carrier).value
        let free = PathLoss.freeSpace.loss(distance: distance, carrier: carrier).value
        #expect(abs(reference - 83.2814) < 1e-4)
        #expect(abs(reference - free) < 0.06)
    }

    /// The breakpoint of 3.5 GHz and usual heights is at 4 · 9 · 0.5 · 3.5e9 / 3e8 = 210 m.
    @Test(arguments: [
        (100.0, true, 85.31419), (210.0, true, 92.05543), (400.0, true, 103.23876),
        (100.0, false, 104.64383), (400.0, false, 125.84483), (3.0, true, 66.76103),
    ])
    func streetCanyonHasItsBreakpoint(metres: Double, sees: Bool, expected: Double) {
        let loss = PathLoss.streetCanyon(lineOfSight: sees)
            .loss(distance: Metres(metres), carrier: carrier).value
        #expect(abs(loss - expected) < 1e-4, "\(metres) m: \(loss)")
    }

    @Test(arguments: [(20.0, true, 65.82656), (20.0, false, 80.75950), (1.0, false, 49.32745)])
    func indoorOfficeFollowsTheTable(metres: Double, sees: Bool, expected: Double) {
        let loss = PathLoss.indoorOffice(lineOfSight: sees)
            .loss(distance: Metres(metres), carrier: carrier).value
        #expect(abs(loss - expected) < 1e-4, "\(metres) m: \(loss)")
    }

    @Test func lineOfSightIsCertainNearby() {
        #expect(LineOfSight.streetCanyon.probability(distance: Metres(18)) == 1)
        #expect(
            abs(LineOfSight.streetCanyon.probability(distance: Metres(36)) - 0.6839397) < 1e-6)
        #expect(LineOfSight.indoorMixedOffice.probability(distance: Metres(1)) == 1)
        #expect(
            abs(LineOfSight.indoorMixedOffice.probability(distance: Metres(6.5)) - 0.32) < 1e-12)
        #expect(LineOfSight.indoorOpenOffice.probability(distance: Metres(5)) == 1)
    }

    @Test func shannonRateDoublesNothingForFree() {
        let noise = NoiseDensity(WattsPerHertz(1e-9))
        let plain = ShannonRate(noise: noise)
        let rate = plain.rate(bandwidth: Hertz(1e6), power: Watts(1), gain: 3e-3)
        #expect(abs(rate.value - 2e6) < 1e-6)
        let gapped = ShannonRate(noise: noise, gap: Decibels(10 * log10(3)))
        #expect(
            abs(gapped.rate(bandwidth: Hertz(1e6), power: Watts(1), gain: 3e-3).value - 1e6)
                < 1e-6)
        let capped = ShannonRate(noise: noise, cap: 1.5)
        #expect(
            capped.rate(bandwidth: Hertz(1e6), power: Watts(1), gain: 3e-3).value == 1.5e6)
        #expect(plain.rate(bandwidth: .zero, power: Watts(1), gain: 1) == .zero)
    }

    @Test func noiseFigureRaisesThermalNoise() {
        let thermal = NoiseDensity(noiseFigure: .zero).density.value
        #expect(abs(thermal - 4.0039e-21) < 1e-25)
        #expect(abs(NoiseDensity(noiseFigure: Decibels(10)).density.value / thermal - 10) < 1e-9)
    }

    @Test(arguments: [Fading.rayleigh, .rician(factor: 4), .none])
    func powerHasMeanOne(fading: Fading) {
        var generator = SeededGenerator(seed: 1)
        let count = 40_000
        let powers = (0..<count).map { _ in fading.power(using: &generator) }
        let mean = powers.reduce(0, +) / Double(count)
        #expect(abs(mean - 1) < 0.02, "seed 1: mean \(mean)")
        let variance = powers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        let expected: Double =
            switch fading {
            case .none: 0
            case .rayleigh: 1
            case .rician(let factor): (1 + 2 * factor) / ((1 + factor) * (1 + factor))
            }
        #expect(abs(variance - expected) < 0.05, "seed 1: variance \(variance)")
    }

    /// The power's autocovariance of Rayleigh fading is J₀²(2π f_D τ).
    @Test func seriesIsCorrelatedAsItsDopplerSays() {
        let doppler = Hertz(10)
        let lags = [0.0, 0.01, 0.02, 0.0383, 0.06]
        var sums = [Double](repeating: 0, count: lags.count)
        let seeds = 20_000
        for seed in 0..<seeds {
            var generator = SeededGenerator(seed: UInt64(seed))
            let series = FadingSeries(.rayleigh, doppler: doppler, using: &generator)
            let start = series.power(at: Seconds(1)) - 1
            for (index, lag) in lags.enumerated() {
                sums[index] += start * (series.power(at: Seconds(1 + lag)) - 1)
            }
        }
        for (index, lag) in lags.enumerated() {
            let bessel = j0(2 * Double.pi * doppler.value * lag)
            let found = sums[index] / Double(seeds)
            #expect(
                abs(found - bessel * bessel) < 0.06, "seeds 0..<\(seeds), lag \(lag): \(found)")
        }
    }

    @Test func shadowFadingForgetsWithDistance() {
        let pathLoss = PathLoss.streetCanyon(lineOfSight: false)
        var (product, square) = (0.0, 0.0)
        let seeds = 20_000
        for seed in 0..<seeds {
            var generator = SeededGenerator(seed: UInt64(seed))
            var fading = ShadowFading(pathLoss, using: &generator)
            let start = fading.loss.value
            fading.move(Metres(13), using: &generator)
            product += start * fading.loss.value
            square += fading.loss.value * fading.loss.value
        }
        let variance = 7.82 * 7.82 * Double(seeds)
        #expect(abs(square / variance - 1) < 0.05)
        #expect(abs(product / variance - exp(-1.0)) < 0.03)
    }

    @Test func equalSeedsGiveEqualSeries() {
        var (first, second) = (SeededGenerator(seed: 5), SeededGenerator(seed: 5))
        let series = FadingSeries(.rician(factor: 2), doppler: Hertz(30), using: &first)
        let twin = FadingSeries(.rician(factor: 2), doppler: Hertz(30), using: &second)
        for step in 0..<50 {
            let time = Seconds(Double(step) * 0.013)
            #expect(series.power(at: time) == twin.power(at: time))
        }
    }
}
