import SystemModel
import Testing

@testable import Planning

/// Priced selection with bandwidth against exhaustive search, and the relaxed bound below both.
struct PricedBandwidthTests {
    static let cases = 200

    @Test func liesBetweenSearchAndBound() {
        var worst = 1.0
        for seed in 0..<Self.cases {
            var generator = SeededGenerator(seed: UInt64(seed))
            let priced = Self.random(using: &generator)
            let rate = Double.random(in: 0.001...0.2, using: &generator)
            let plan = priced.solve(secondsPerLoss: rate)
            let value = priced.value(Self.choice(plan, priced), secondsPerLoss: rate)
            let least = Self.exhaustive(priced, rate)
            let bound = PricedBound(priced, secondsPerLoss: rate).bound(under: value)
            #expect(value >= least * (1 - 1e-9), "seed \(seed)")
            #expect(bound <= least * (1 + 1e-9), "seed \(seed)")
            #expect(bound > 0, "seed \(seed)")
            worst = max(worst, value / least)
        }
        // Five tokens at a time: a single token more or less is a lot. Larger steps are fewer.
        #expect(worst < 1.5)
    }

    /// With many tokens fractions matter little, so the bound is close: a price that chose badly
    /// would show here. Half of random cells come within a twentieth; single ones do not.
    @Test func manyTokensComeCloseToTheBound() {
        let gaps = (0..<9).map { seed in
            var generator = SeededGenerator(seed: UInt64(seed))
            let priced = Self.random(tokens: 200, using: &generator)
            let rate = 0.5
            let plan = priced.solve(secondsPerLoss: rate)
            let gap = PricedBound(priced, secondsPerLoss: rate).gap(plan)
            #expect(gap >= 0, "seed \(seed)")
            return gap / priced.value(Self.choice(plan, priced), secondsPerLoss: rate)
        }
        #expect(gaps.sorted()[gaps.count / 2] < 0.05, "\(gaps)")
    }

    private static func choice(_ plan: LayerPlan, _ priced: PricedBandwidth) -> [Int] {
        zip(priced.candidates, plan.selection.kept).map { candidates, kept in
            candidates.firstIndex { $0.experts == kept } ?? 0
        }
    }

    private static func exhaustive(_ priced: PricedBandwidth, _ rate: Double) -> Double {
        var least = Double.infinity
        var choice = priced.candidates.map { _ in 0 }
        while true {
            least = min(least, priced.value(choice, secondsPerLoss: rate))
            guard
                let place = choice.indices.first(where: {
                    choice[$0] + 1 < priced.candidates[$0].count
                })
            else { return least }
            for earlier in 0..<place { choice[earlier] = 0 }
            choice[place] += 1
        }
    }

    /// Three devices from near to far, an expert each.
    private static func random(
        tokens: Int = 5, using generator: inout SeededGenerator
    ) -> PricedBandwidth {
        let weights = (0..<tokens).map { _ in
            let row = (0..<3).map { _ in Double.random(in: 0.05...1, using: &generator) }
            return row.map { $0 / row.reduce(0, +) }
        }
        let cell = BandwidthProblem(
            total: Hertz(20e6), noise: WattsPerHertz(4e-21),
            devices: (0..<3).map { _ in
                BandwidthDevice(
                    tokens: 0, bitsDown: Bits(65_536), bitsUp: Bits(65_536),
                    link: RadioLink(
                        gain: Double.random(in: 1e-12...1e-9, using: &generator),
                        powerDown: Watts(10), powerUp: Watts(0.2)),
                    compute: Seconds(Double.random(in: 1e-5...1e-3, using: &generator)),
                    message: Seconds(1e-4))
            })
        let problem = SelectionProblem(
            perToken: 2, weights: weights,
            devices: cell.devices.map { DeviceLatency(message: $0.message, token: $0.compute) })
        var options = PricedBandwidth.Options()
        options.substitutes = false
        return PricedBandwidth(
            problem, bandwidth: cell,
            quality: QualityModel(uncalibratedLayers: 1, experts: 3), layer: 0, options: options)
    }
}
