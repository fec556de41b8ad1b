import SystemModel
import TestSupport
import Testing

@testable import Planning

/// The base station's own memory: fewest round trips.
struct ResidentExpertsTests {
    private func shape(layers: Int, experts: Int, bytes: [Int]? = nil) -> ModelShape {
        ModelShape(
            layers: layers, experts: experts, expertsPerToken: 2, hidden: 8,
            expertBytes: bytes ?? Array(repeating: 10, count: layers))
    }

    private func sets(
        layers: Int, experts: Int, using generator: inout SeededGenerator
    ) -> [[RoutedSet]] {
        (0..<layers).map { _ in
            (0..<10).map { _ in
                let first = Int(generator.next() % UInt64(experts - 1))
                let second = first + 1 + Int(generator.next() % UInt64(experts - 1 - first))
                return RoutedSet(
                    experts: [first, second], count: 1 + Int(generator.next() % 20))
            }
        }
    }

    /// Compared with every content that fits, on small models.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func theLeastRoundTrips(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let shape = shape(layers: 2, experts: 5)
        let sets = sets(layers: 2, experts: 5, using: &generator)
        let budget = Int(generator.next() % 110)
        var least = 2.0
        for content in 0..<1024 where content.nonzeroBitCount * 10 <= budget {
            least = min(
                least,
                trips(sets) { content >> ($0 * 5 + $1) & 1 == 1 })
        }
        let plan = ResidentExperts(shape, sets: sets, budgetBytes: budget)
        #expect(abs(plan.roundTripsPerToken - least) <= 1e-9, "seed \(seed)")
        #expect(plan.experts.count * 10 <= budget, "seed \(seed)")
        let own = trips(sets) { plan.experts.contains(ExpertID(layer: $0, expert: $1)) }
        #expect(abs(own - least) <= 1e-9, "seed \(seed)")
    }

    private func trips(_ sets: [[RoutedSet]], _ holds: (Int, Int) -> Bool) -> Double {
        sets.enumerated().reduce(0) { sum, layer in
            let total = layer.element.reduce(0) { $0 + $1.count }
            let waits = layer.element.filter { set in
                !set.experts.allSatisfy { holds(layer.offset, $0) }
            }
            return sum + Double(waits.reduce(0) { $0 + $1.count }) / Double(total)
        }
    }

    /// Peeling, for wide layers, is close to the best sets: on average within a few percent.
    @Test func peelingIsCloseToEnumeration() {
        var generator = SeededGenerator(seed: 5)
        var (peeled, best) = (0.0, 0.0)
        for _ in 0..<50 {
            let sets = sets(layers: 1, experts: 8, using: &generator)[0]
            let exact = ResidentExperts.enumerated(sets, experts: 8)
            let quick = ResidentExperts.peeled(sets, experts: 8)
            for size in 0...8 { #expect(quick.saved[size] <= exact.saved[size] + 1e-12) }
            peeled += quick.saved.reduce(0, +)
            best += exact.saved.reduce(0, +)
        }
        #expect(peeled >= 0.95 * best, "seed 5: \(peeled / best)")
    }

    /// Layers of different sizes, dense ones, and nothing recorded.
    @Test func unknownRoutingFillsWholeLayers() {
        let shape = shape(layers: 3, experts: 4, bytes: [0, 10, 30])
        let plan = ResidentExperts(shape, sets: nil, budgetBytes: 45)
        #expect(plan.experts == Set((0..<4).map { ExpertID(layer: 1, expert: $0) }))
        #expect(plan.roundTripsPerToken == 1)
        let none = ResidentExperts(shape, sets: nil, budgetBytes: 0)
        #expect(none.experts.isEmpty && none.roundTripsPerToken == 2)
        let all = ResidentExperts(shape, sets: nil, budgetBytes: 1 << 40)
        #expect(all.experts.count == 8 && all.roundTripsPerToken == 0)
    }
}
