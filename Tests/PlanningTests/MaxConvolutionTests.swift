import SystemModel
import Testing

@testable import Planning

/// Fast convolutions against the definition.
struct MaxConvolutionTests {
    @Test func mergedSlopesEqualTheDynamicProgram() {
        for seed in 0..<UInt64(200) {
            var generator = SeededGenerator(seed: seed)
            let sequences = (0..<4).map { _ in
                Self.concave(1 + Int(generator.next() % 9), &generator)
            }
            let most = Int(generator.next() % 30)
            var sums = [0.0]
            for sequence in sequences {
                sums = MaxConvolution.plain(sequence, sums, most: most).values
            }
            let units = MaxConvolution.merge(sequences, most: most)
            var counts = [0, 0, 0, 0]
            for (place, unit) in units.enumerated() {
                counts[Int(unit)] += 1
                let sum = zip(sequences, counts).reduce(0) { $0 + $1.0[$1.1] }
                #expect(abs(sum - sums[place + 1]) < 1e-9, "seed \(seed), \(place)")
            }
            #expect(units.count <= most, "seed \(seed)")
            let end = zip(sequences, counts).reduce(0) { $0 + $1.0[$1.1] }
            #expect(abs(end - (sums.last ?? 0)) < 1e-9, "seed \(seed)")
        }
    }

    @Test func smawkEqualsTheDefinition() {
        for seed in 0..<UInt64(300) {
            var generator = SeededGenerator(seed: seed)
            let concave = Self.concave(1 + Int(generator.next() % 20), &generator)
            let arbitrary = Self.rising(1 + Int(generator.next() % 20), &generator)
            let most = Int(generator.next() % 45)
            let plain = MaxConvolution.plain(arbitrary, concave, most: most)
            let fast = MaxConvolution.smawk(arbitrary: arbitrary, concave: concave, most: most)
            #expect(fast.values.count == plain.values.count, "seed \(seed)")
            for (place, value) in plain.values.enumerated() {
                #expect(abs(fast.values[place] - value) < 1e-9, "seed \(seed), \(place)")
            }
        }
    }

    /// Both methods of a server's knapsack against trying everything, with several sizes.
    @Test func knapsacksAreOptimal() {
        for seed in 0..<UInt64(200) {
            var generator = SeededGenerator(seed: seed)
            let curves = (0..<4).map { _ -> LayerCurve in
                let count = 1 + Int(generator.next() % 5)
                let gains =
                    generator.next() % 2 == 0
                    ? Self.concave(count, &generator) : Self.rising(count, &generator)
                let all = (0...count).map(Int32.init)
                return LayerCurve(
                    gains: gains, choice: .prefix(Array(all.dropFirst()), lengths: all))
            }
            let sizes = seed % 2 == 0 ? [3, 3, 3, 3] : [3, 4, 7, 4]
            let capacity = Int(generator.next() % 50)
            let most = Self.most(curves[...], sizes[...], capacity)
            for method in [StorageKnapsack.Method.plain, .accelerated] {
                for epsilon in [0, 0.05] {
                    let counts = StorageKnapsack(method: method, epsilon: epsilon)
                        .solve(curves, bytes: sizes, capacity: capacity)
                    let bytes = zip(counts, sizes).reduce(0) { $0 + $1.0 * $1.1 }
                    let saved = zip(curves, counts).reduce(0) { $0 + $1.0.gains[$1.1] }
                    #expect(bytes <= capacity, "\(method), seed \(seed)")
                    #expect(saved <= most + 1e-9, "\(method), seed \(seed)")
                    #expect(saved >= (1 - epsilon) * most - 1e-9, "\(method), seed \(seed)")
                }
            }
        }
    }

    /// 58 layers of 256 experts and 1,000 slots, one expert per token.
    @Test func aLargeModelsKnapsackIsTheSameBothWays() {
        var generator = SeededGenerator(seed: 5)
        let curves = (0..<58).map { _ in
            LayerCurve(
                singles: ContiguousArray((0..<256).map { _ in generator.uniform() }), most: 256)
        }
        let bytes = curves.map { _ in 1 }
        let saved = [StorageKnapsack.Method.plain, .accelerated].map { method in
            let counts = StorageKnapsack(method: method, epsilon: 0)
                .solve(curves, bytes: bytes, capacity: 1_000)
            #expect(counts.reduce(0, +) == 1_000)
            return zip(curves, counts).reduce(0) { $0 + $1.0.gains[$1.1] }
        }
        #expect(abs(saved[0] - saved[1]) < 1e-9)
    }

    /// The most that can be saved, by trying every split.
    private static func most(
        _ curves: ArraySlice<LayerCurve>, _ sizes: ArraySlice<Int>, _ capacity: Int
    ) -> Double {
        guard let curve = curves.first, let size = sizes.first else { return 0 }
        return curve.gains.enumerated().filter { $0.offset * size <= capacity }
            .map { count, gain in
                gain + most(curves.dropFirst(), sizes.dropFirst(), capacity - count * size)
            }.max() ?? 0
    }

    private static func concave(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
        let slopes = (0..<count).map { _ in generator.uniform() }.sorted(by: >)
        return slopes.reduce(into: [0.0]) { $0.append($0[$0.count - 1] + $1) }
    }

    private static func rising(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
        (0..<count).reduce(into: [0.0]) { sums, _ in
            let step = generator.next() % 3 == 0 ? generator.uniform() : 0
            sums.append(sums[sums.count - 1] + step)
        }
    }
}
