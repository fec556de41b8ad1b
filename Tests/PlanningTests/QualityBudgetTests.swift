import Planning
import SystemModel
import TestSupport
import Testing

/// Selection over measured speeds within what a token may lose.
struct QualityBudgetTests {
    static let experts = 6

    /// Devices of quite different speed, one expert each, and router weights that are never zero.
    private func problem(
        _ generator: inout SeededGenerator, tokens: Int, perToken: Int
    ) -> (weights: [[Double]], ranked: [[Int]], devices: [DeviceLatency]) {
        let weights = (0..<tokens).map { _ in
            let raw = (0..<Self.experts).map { _ in 0.01 + generator.uniform() }
            let sum = raw.reduce(0, +)
            return raw.map { $0 / sum }
        }
        let ranked = weights.map { row in
            Array(row.indices.sorted { row[$0] > row[$1] }.prefix(perToken))
        }
        let devices = (0..<Self.experts).map { _ in
            DeviceLatency(
                message: Seconds(1e-3 * generator.uniform()),
                token: Seconds(1e-5 + 1e-3 * generator.uniform()))
        }
        return (weights, ranked, devices)
    }

    /// Outputs that have something in common: a positive definite Gram matrix.
    private func calibrated(_ generator: inout SeededGenerator) -> QualityModel {
        let count = Self.experts
        let vectors = (0..<count).map { _ in (0..<4).map { _ in generator.uniform() - 0.3 } }
        let gram = (0..<count * count).map { place in
            zip(vectors[place / count], vectors[place % count]).reduce(0) { $0 + $1.0 * $1.1 }
                + (place % (count + 1) == 0 ? 0.1 : 0)
        }
        return QualityModel(gram: [gram], experts: count)
    }

    private func planner(_ policy: SelectionPolicy, _ quality: QualityModel) -> LayerPlanner {
        LayerPlanner(
            policy: policy, parameters: SelectionParameters(), method: .minmax, quality: quality)
    }

    private static let holders = (0..<experts).map { [$0] }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func allowancesAreKept(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let perToken = 2 + Int(seed % 3)
        let (weights, ranked, devices) = problem(&generator, tokens: 9, perToken: perToken)
        let plain = QualityModel(uncalibratedLayers: 1, experts: Self.experts)
        let allowances = (0..<9).map { Double($0 % 3) * 0.05 }
        for quality in [plain, calibrated(&generator)] {
            for policy in SelectionPolicy.allCases {
                let plan = planner(policy, quality).plan(
                    layer: 0, weights: weights, ranked: ranked, devices: devices,
                    holders: Self.holders, allowances: allowances)
                for (token, row) in plan.rows.enumerated() {
                    let note = "seed \(seed), \(policy), token \(token)"
                    #expect(row.loss <= allowances[token], "\(note)")
                    if allowances[token] == 0 { #expect(row.experts == ranked[token], "\(note)") }
                    #expect(
                        row.experts.count == perToken - row.dropped + row.substituted, "\(note)")
                    #expect(Set(row.experts).count == row.experts.count, "\(note)")
                }
            }
        }
    }

    /// One token of two experts: the deadline policy drops the second if and only if that saves
    /// time and is allowed. All four cases by hand.
    @Test func oneTokenDropsWhatWaitsAndIsAllowed() {
        let quality = QualityModel(uncalibratedLayers: 1, experts: 2)
        let slow = DeviceLatency(message: Seconds(5e-3), token: Seconds(1e-3))
        let fast = DeviceLatency(message: Seconds(1e-3), token: Seconds(1e-3))
        // Dropping a share of 0.2 moves both weights by 0.2.
        let loss = 2 * 0.2 * 0.2
        for (devices, allowance, kept) in [
            ([fast, slow], loss * 1.01, [0]), ([fast, slow], loss * 0.99, [0, 1]),
            ([slow, fast], loss * 1.01, [0, 1]), ([slow, fast], loss * 0.99, [0, 1]),
        ] {
            let plan = planner(.deadline, quality).plan(
                layer: 0, weights: [[0.8, 0.2]], ranked: [[0, 1]], devices: devices,
                holders: [[0], [1]], allowances: [allowance])
            #expect(plan.rows[0].experts == kept)
            #expect(plan.rows[0].loss == (kept == [0] ? plan.rows[0].loss : 0))
            #expect(plan.seconds == (kept == [0] ? 2e-3 : 6e-3))
        }
    }

    /// The deadline policy's time is the least that the allowances permit: compared with all
    /// subsets of all tokens' experts.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func deadlineIsTheLeastTime(_ seed: UInt64) {
        var generator = SeededGenerator(seed: 100 + seed)
        let (weights, ranked, devices) = problem(&generator, tokens: 4, perToken: 2)
        let quality = QualityModel(uncalibratedLayers: 1, experts: Self.experts)
        // All or nothing for a token, so that a mean is no constraint beside them.
        let allowances = (0..<4).map { _ in generator.uniform() < 0.5 ? 0 : 10.0 }
        let plan = planner(.deadline, quality).plan(
            layer: 0, weights: weights, ranked: ranked, devices: devices, holders: Self.holders,
            allowances: allowances)
        var least = Double.infinity
        for choice in 0..<81 {
            var tokens = [Int](repeating: 0, count: Self.experts)
            var digits = choice
            for token in 0..<4 {
                let kept = [ranked[token], [ranked[token][0]], [ranked[token][1]]][digits % 3]
                digits /= 3
                if kept.count < 2, allowances[token] == 0 { tokens[0] += 1_000_000 }
                for expert in kept { tokens[expert] += 1 }
            }
            least = min(least, LatencyModel(devices: devices).layerSeconds(tokens: tokens).value)
        }
        #expect(abs(plan.seconds - least) <= 1e-12, "seed \(100 + seed)")
    }

    /// A calibrated model replaces a dropped expert by a like one on a device that waits anyway.
    @Test func aLikeExpertStepsIn() {
        // Experts 1 and 2 do the same; 1 is on a slow device.
        let gram = [1.0, 0, 0, 0, 1, 1, 0, 1, 1]
        let quality = QualityModel(gram: [gram], experts: 3)
        let fast = DeviceLatency(message: Seconds(1e-3), token: Seconds(1e-4))
        let slow = DeviceLatency(message: Seconds(1e-1), token: Seconds(1e-4))
        let plan = planner(.deadline, quality).plan(
            layer: 0, weights: [[0.5, 0.4, 0.1]], ranked: [[0, 1]], devices: [fast, slow, fast],
            holders: Self.holders.prefix(3).map { $0 }, allowances: [0.5])
        #expect(plan.rows[0].experts == [0, 2])
        #expect(plan.rows[0].dropped == 1 && plan.rows[0].substituted == 1)
        #expect(plan.rows[0].loss < 1e-6)
    }
}
