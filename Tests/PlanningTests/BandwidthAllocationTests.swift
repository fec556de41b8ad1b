import SystemModel
import Testing

@testable import Planning

/// The split against a slow twin, its optimality conditions, and hand-made cases.
struct BandwidthAllocationTests {
    static func device(
        tokens: Int, gain: Double, compute: Double = 0, message: Double = 0
    ) -> BandwidthDevice {
        BandwidthDevice(
            tokens: tokens, bitsDown: Bits(65_536), bitsUp: Bits(65_536),
            link: RadioLink(gain: gain, powerDown: Watts(10), powerUp: Watts(0.2)),
            compute: Seconds(compute), message: Seconds(message))
    }

    static func random(devices: Int, using generator: inout SeededGenerator) -> BandwidthProblem {
        BandwidthProblem(
            total: Hertz(1e8), noise: WattsPerHertz(3.98107e-21),
            devices: (0..<devices).map { _ in
                device(
                    tokens: Int(generator.next() % 200),
                    gain: Quantity<Units.Decibels>(-70 - 60 * generator.uniform()).factor,
                    compute: generator.uniform() * 1e-4,
                    message: generator.next() % 2 == 0 ? 0 : generator.uniform() * 0.01)
            })
    }

    @Test func equalDevicesShareEqually() {
        let device = Self.device(tokens: 3, gain: 1e-9)
        let problem = BandwidthProblem(
            total: Hertz(9e6), noise: WattsPerHertz(4e-21), devices: [device, device, device])
        for method in BandwidthMethod.allCases {
            let plan = method.allocate(problem)
            for hertz in plan.hertz { #expect(abs(hertz - 3e6) < 1e-3) }
        }
    }

    @Test func idleDevicesGetNothing() {
        let problem = BandwidthProblem(
            total: Hertz(8e6), noise: WattsPerHertz(4e-21),
            devices: [
                Self.device(tokens: 1, gain: 1e-9), Self.device(tokens: 0, gain: 1e-9),
                Self.device(tokens: 3, gain: 1e-9), Self.device(tokens: 0, gain: 1e-9),
            ])
        #expect(BandwidthMethod.equal.allocate(problem).hertz == [2e6, 0, 2e6, 0])
        #expect(BandwidthMethod.active.allocate(problem).hertz == [4e6, 0, 4e6, 0])
        #expect(BandwidthMethod.proportional.allocate(problem).hertz == [2e6, 0, 6e6, 0])
        let plan = BandwidthMethod.minmax.allocate(problem)
        #expect(plan.hertz[1] == 0 && plan.deviceSeconds[1] == 0)
        #expect(plan.hertz[0] < plan.hertz[2])
    }

    @Test func oneDeviceGetsEverythingAndNobodyNothing() {
        var problem = BandwidthProblem(
            total: Hertz(8e6), noise: WattsPerHertz(4e-21),
            devices: [Self.device(tokens: 2, gain: 1e-9), Self.device(tokens: 0, gain: 1e-9)])
        #expect(abs(BandwidthMethod.minmax.allocate(problem).hertz[0] - 8e6) < 1e-3)
        problem = problem.with(tokens: [0, 0])
        for method in BandwidthMethod.allCases {
            #expect(method.allocate(problem).seconds == 0)
        }
    }

    /// The optimum is where all devices finish together with the whole spectrum in use.
    @Test func devicesFinishTogether() {
        for seed in 0..<200 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let problem = Self.random(devices: 2 + seed % 20, using: &generator)
            let plan = BandwidthMethod.minmax.allocate(problem)
            let sum = plan.hertz.reduce(0, +)
            #expect(abs(sum - 1e8) < 1e-3, "seed \(seed)")
            for (device, seconds) in zip(problem.devices, plan.deviceSeconds)
            where device.tokens > 0 {
                #expect(abs(seconds / plan.seconds - 1) < 1e-9, "seed \(seed): \(seconds)")
            }
        }
    }

    /// Plain nested bisection, the slow twin.
    @Test func agreesWithNestedBisection() {
        for seed in 0..<100 {
            var generator = SeededGenerator(seed: UInt64(1000 + seed))
            let problem = Self.random(devices: 1 + seed % 8, using: &generator)
            let plan = BandwidthMethod.minmax.allocate(problem)
            let twin = MinMaxByBisection(problem).seconds
            #expect(abs(plan.seconds - twin) <= 1e-9 * twin, "seed \(1000 + seed)")
        }
    }

    @Test func neverSlowerThanTheBaselines() {
        for seed in 0..<100 {
            var generator = SeededGenerator(seed: UInt64(2000 + seed))
            let problem = Self.random(devices: 8, using: &generator)
            let best = BandwidthMethod.minmax.allocate(problem).seconds
            for method in BandwidthMethod.allCases {
                let seconds = method.allocate(problem).seconds
                #expect(best <= seconds * (1 + 1e-12), "seed \(2000 + seed), \(method)")
            }
        }
    }

    @Test func tenThousandDevicesAreSplitExactly() {
        var generator = SeededGenerator(seed: 3)
        let problem = Self.random(devices: 10_000, using: &generator)
        let plan = BandwidthMethod.minmax.allocate(problem)
        #expect(abs(plan.hertz.reduce(0, +) / 1e8 - 1) < 1e-12)
        for (device, seconds) in zip(problem.devices, plan.deviceSeconds) where device.tokens > 0 {
            #expect(abs(seconds / plan.seconds - 1) < 1e-9)
        }
    }

    /// With one layer the long-term split is the min-max split.
    @Test func longTermOfOneLayerIsMinMax() {
        for seed in 0..<20 {
            var generator = SeededGenerator(seed: UInt64(4000 + seed))
            let problem = Self.random(devices: 6, using: &generator)
            let hertz = LongTermBandwidth(problem, tokens: [problem.devices.map(\.tokens)]).solve()
            let seconds = problem.plan(hertz.map(\.value)).seconds
            let best = BandwidthMethod.minmax.allocate(problem).seconds
            #expect(abs(seconds / best - 1) < 1e-6, "seed \(4000 + seed): \(seconds / best)")
        }
    }

    /// No small move of spectrum between two devices helps a convex problem's optimum.
    @Test func longTermCannotBeImprovedByMovingSpectrum() {
        for seed in 0..<10 {
            var generator = SeededGenerator(seed: UInt64(5000 + seed))
            let problem = Self.random(devices: 4, using: &generator)
            let tokens = (0..<6).map { _ in (0..<4).map { _ in Int(generator.next() % 60) } }
            let hertz = LongTermBandwidth(problem, tokens: tokens).solve().map(\.value)
            let sum = { (split: [Double]) in
                tokens.reduce(0) { $0 + problem.with(tokens: $1).plan(split).seconds }
            }
            let best = sum(hertz)
            for _ in 0..<200 {
                var other = hertz
                let moved = (0..<4).map { _ in generator.uniform() - 0.5 }
                let mean = moved.reduce(0, +) / 4
                for device in 0..<4 { other[device] += (moved[device] - mean) * 1e6 }
                guard other.allSatisfy({ $0 > 0 }) else { continue }
                #expect(sum(other) >= best * (1 - 1e-6), "seed \(5000 + seed)")
            }
        }
    }
}

/// Bisection inside bisection, nothing clever.
private struct MinMaxByBisection {
    let problem: BandwidthProblem

    init(_ problem: BandwidthProblem) {
        self.problem = problem
    }

    var seconds: Double {
        let active = problem.devices.indices.filter { problem.devices[$0].tokens > 0 }
        guard !active.isEmpty else { return 0 }
        var (low, high) = (0.0, 1e9)
        for _ in 0..<200 {
            let time = 0.5 * (low + high)
            let sum = active.reduce(0) { $0 + hertz($1, time) }
            if sum > problem.total.value { low = time } else { high = time }
        }
        return high
    }

    private func hertz(_ device: Int, _ time: Double) -> Double {
        var (low, high) = (0.0, 2 * problem.total.value)
        for _ in 0..<200 {
            let guess = 0.5 * (low + high)
            let share = problem.devices.indices.map { $0 == device ? guess : 0 }
            if problem.plan(share).deviceSeconds[device] > time {
                low = guess
            } else {
                high = guess
            }
        }
        return high
    }
}
