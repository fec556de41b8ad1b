import SystemModel
import TestSupport
import Testing

@testable import Coordinator

/// Copies in spare memory, and who gets a row.
struct ReplicaPlacementTests {
    private let shape = ModelShape(
        layers: 3, experts: 8, expertsPerToken: 2, hidden: 8, expertBytes: [10, 10, 10])

    private func placement(slots: Int) -> Placement {
        ProportionalPlacement.plan(
            shape,
            offers: Array(
                repeating: ProportionalPlacement.Offer(memoryBytes: 1_000, speed: 1), count: slots))
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func memoryIsKeptAndNoCopyIsAtHome(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let placement = placement(slots: 4)
        let spare = (0..<4).map { _ in Int(generator.next() % 100) }
        let popularity = (0..<3).map { _ in (0..<8).map { _ in generator.uniform() } }
        let replicas = ReplicaPlacement.plan(
            shape, placement, spareBytes: spare, copies: 3, popularity: popularity)
        for (slot, experts) in replicas.enumerated() {
            #expect(experts.count * 10 <= spare[slot], "seed \(seed)")
            #expect(Set(experts).count == experts.count, "seed \(seed)")
            #expect(experts.allSatisfy { placement.slot(of: $0) != slot }, "seed \(seed)")
        }
        let copied = replicas.joined().reduce(into: [ExpertID: Int]()) { $0[$1, default: 0] += 1 }
        #expect(copied.values.allSatisfy { $0 <= 2 }, "seed \(seed)")
    }

    @Test func theHottestAreCopiedFirst() {
        let placement = placement(slots: 2)
        var popularity = [[Double]](repeating: Array(repeating: 1, count: 8), count: 3)
        popularity[2][5] = 9
        popularity[1][6] = 8
        let replicas = ReplicaPlacement.plan(
            shape, placement, spareBytes: [10, 10], copies: 2, popularity: popularity)
        #expect(
            Set(replicas.joined())
                == [ExpertID(layer: 2, expert: 5), ExpertID(layer: 1, expert: 6)])
    }

    /// Experts of one slot and layer have their copies at one other slot, so that a row that visits
    /// two of them can go there as a whole.
    @Test func neighboursStayTogether() {
        let placement = placement(slots: 4)
        let replicas = ReplicaPlacement.plan(
            shape, placement, spareBytes: [1_000, 1_000, 1_000, 1_000], copies: 2,
            popularity: nil)
        #expect(replicas.joined().count == 24)
        for layer in 0..<3 {
            for home in 0..<4 {
                let own = (0..<8).map { ExpertID(layer: layer, expert: $0) }
                    .filter { placement.slot(of: $0) == home }
                let holders = Set(own.map { id in replicas.firstIndex { $0.contains(id) } })
                #expect(holders.count == 1, "layer \(layer), slot \(home)")
            }
        }
    }

    @Test func rowsGoWhereTheyAreDoneFirst() {
        let slow = DeviceLatency(message: Seconds(10), token: Seconds(5))
        let fast = DeviceLatency(message: Seconds(1), token: Seconds(1))
        let candidates = [[0], [0, 1], [1, 0], [], [0, 1]]
        let slots = UnitAssignment.assign(candidates) { [(slow, 0), (fast, 0)] }
        #expect(slots == [0, 1, 1, nil, 1])
        // Equal devices share the work, and the usual one is preferred.
        let equal = UnitAssignment.assign([[0, 1], [0, 1], [1, 0], [1, 0]]) {
            [(fast, 0), (fast, 0)]
        }
        #expect(equal == [0, 1, 1, 0])
        // What a device was sent before comes first.
        let busy = UnitAssignment.assign([[0, 1], [0, 1], [0, 1]]) { [(fast, 2), (fast, 0)] }
        #expect(busy == [1, 1, 0])
    }

    @Test func residentsAreDealtToNobody() {
        let resident: Set<ExpertID> = [
            ExpertID(layer: 0, expert: 3), ExpertID(layer: 2, expert: 7),
        ]
        var content = ContentPlan()
        content.resident = resident
        content.copies = 2
        var state = MembershipState(shape: shape, shares: .equal, content: content)
        for number in 1...2 {
            _ = state.joined(
                DeviceID(UInt32(number)),
                DeviceDescription(
                    name: "d\(number)", memoryBytes: 1_000, cores: 1, instructionSet: "test",
                    memoryGigabytesPerSecond: 1, gigaflopsPerSecond: 1))
        }
        let actions = state.replan()
        for case .assign(_, let experts, _) in actions {
            #expect(experts.count == 22, "11 of its own and 11 copies")
            #expect(resident.isDisjoint(with: experts))
        }
        for id in resident { #expect(state.placement.slot(of: id) == nil) }
    }

    /// A plan made elsewhere: the first device of an expert computes it, others stand by, what no
    /// device holds stays at the base station.
    @Test func aPlanByNameIsFollowed() {
        let ids = (0..<3).map { ExpertID(layer: 0, expert: $0) }
        var content = ContentPlan()
        content.devices = ["a": [ids[0], ids[1]], "b": [ids[1], ids[2]], "gone": [ids[2]]]
        var state = MembershipState(shape: shape, shares: .equal, content: content)
        for (number, name) in ["a", "b"].enumerated() {
            _ = state.joined(
                DeviceID(UInt32(number)),
                DeviceDescription(
                    name: name, memoryBytes: 25, cores: 1, instructionSet: "test",
                    memoryGigabytesPerSecond: 1, gigaflopsPerSecond: 1))
        }
        let actions = state.replan()
        #expect(
            actions == [
                .assign(DeviceID(0), [ids[0], ids[1]]), .assign(DeviceID(1), [ids[2], ids[1]]),
            ])
        #expect(state.placement.slot(of: ids[1]) == 0)
        #expect(state.placement.slot(of: ExpertID(layer: 1, expert: 0)) == nil)
    }
}
