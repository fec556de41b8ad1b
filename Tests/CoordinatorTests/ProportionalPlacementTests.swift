import SystemModel
import TestSupport
import Testing

@testable import Coordinator

struct ProportionalPlacementTests {
    private func shape(layers: Int, experts: Int, bytes: Int = 10) -> ModelShape {
        ModelShape(
            layers: layers, experts: experts, expertsPerToken: 2, hidden: 8,
            expertBytes: Array(repeating: bytes, count: layers))
    }

    @Test func equalDevicesShareEveryLayerEqually() {
        let offers = Array(
            repeating: ProportionalPlacement.Offer(memoryBytes: 10_000, speed: 3), count: 4)
        let plan = ProportionalPlacement.plan(shape(layers: 6, experts: 8), offers: offers)
        for layer in plan.slots {
            for slot in 0..<4 { #expect(layer.filter { $0 == slot }.count == 2) }
        }
    }

    @Test func sharesFollowSpeed() {
        let offers = [
            ProportionalPlacement.Offer(memoryBytes: 10_000, speed: 3),
            ProportionalPlacement.Offer(memoryBytes: 10_000, speed: 1),
        ]
        let plan = ProportionalPlacement.plan(shape(layers: 2, experts: 8), offers: offers)
        for layer in plan.slots { #expect(layer.filter { $0 == 0 }.count == 6) }
    }

    /// Seeded offers: memory is never exceeded, and nothing stays at the base station that fits.
    @Test(arguments: 0..<50)
    func memoryIsKept(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let shape = shape(layers: 3, experts: 7)
        let offers = (0..<Int(generator.next() % 5)).map { _ in
            ProportionalPlacement.Offer(
                memoryBytes: Int(generator.next() % 120), speed: 0.1 + generator.uniform())
        }
        let plan = ProportionalPlacement.plan(shape, offers: offers)
        var left = offers.map(\.memoryBytes)
        for slot in left.indices { left[slot] -= 10 * plan.experts(inSlot: slot).count }
        #expect(left.allSatisfy { $0 >= 0 }, "seed \(seed)")
        let atBase = plan.slots.joined().filter { $0 == nil }.count
        #expect(atBase == 0 || left.allSatisfy { $0 < 10 }, "seed \(seed)")
    }

    @Test func noiseInABenchmarkDoesNotChangeTheShare() {
        #expect(
            ProportionalPlacement.rounded(speed: 10.2) == ProportionalPlacement.rounded(speed: 11.8)
        )
        #expect(
            ProportionalPlacement.rounded(speed: 10) != ProportionalPlacement.rounded(speed: 20))
    }
}
