import Planning
import SystemModel
import Testing

@testable import Coordinator

/// What `ReplanState` makes of a plan: whether it is worth its bytes.
struct ReplanDecisionTests {
    typealias Cell = ReplanStateTests

    /// Begins with a situation and takes a plan; `rate` rows per second have come.
    private func decide(
        _ reason: PlacementChange.Reason, _ situation: PlacementSituation, _ plan: [ExpertHome],
        copies: Int = 1, rate: Double = 0, bytesPerSecond: Double = 12.5e6
    ) -> (decision: ReplanState.Decision, state: ReplanState, budget: Int?) {
        var rules = ReplanState.Rules()
        rules.bytesPerSecond = bytesPerSecond
        var state = ReplanState(rules)
        for second in 0..<1_000 {
            let glance = Cell.glance(
                Double(second), situation.problem.devices, rows: Int(Double(second) * rate))
            _ = state.glance(glance)
        }
        let budget = state.begin(reason, situation)
        return (state.planned([plan], copies: copies), state, budget)
    }

    private func isAdopted(_ decision: ReplanState.Decision) -> Bool {
        if case .adopt = decision { true } else { false }
    }

    private static let devices = [Cell.device("a"), Cell.device("b")]
    /// 30 ms a token with visits by file of 10 ms, two of three experts' on devices.
    private static let running: [ExpertHome] = [.device(0), .file, .file, .device(1)]
    private static let situation = Cell.situation(devices, running, held: [[0], [3]])

    /// Ten tokens a second keep the base station busy for a tenth of the time, so a change that
    /// saves 70 % of it saves 42 of 600 seconds; in these its 20 bytes have to be shipped.
    @Test(arguments: [0.49, 0.47])
    func aChangeHasToPayForItsBytes(_ bytesPerSecond: Double) {
        var result = decide(
            .links(["a"]), Self.situation, Cell.onSecond, rate: 10, bytesPerSecond: bytesPerSecond)
        #expect(abs(result.state.rate - 10) < 1e-3)
        switch result.decision {
        case .adopt(let change):
            #expect(bytesPerSecond == 0.49)
            #expect(abs(change.before.secondsPerToken - 0.01) < 1e-9)
            #expect(abs(change.after.secondsPerToken - 0.003) < 1e-9)
            #expect(change.bytesByDevice == [10, 10])
        case .again(let moveAtMost):
            // Half of what would have paid, and then not a third time.
            #expect(bytesPerSecond == 0.47)
            #expect(moveAtMost == 9)
            let second = result.state.planned([Cell.onSecond], copies: 1)
            guard case .keep = second else {
                Issue.record("it is not worth its bytes")
                return
            }
        case .keep: Issue.record("a smaller change may be worth its bytes")
        }
    }

    /// The smaller change is adopted if it pays.
    @Test func aSmallerChangeIsTried() {
        let running = Cell.inFile
        let situation = Cell.situation(Self.devices, running, held: [[], [2, 3]])
        var result = decide(
            .age, situation, Cell.onSecond, rate: 1_000, bytesPerSecond: 0.03)
        guard case .again = result.decision else {
            Issue.record("20 bytes take longer than is saved")
            return
        }
        let small: [ExpertHome] = [.file, .file, .device(1), .device(1)]
        guard case .keep = result.state.planned([small], copies: 1) else {
            Issue.record("one token in ten gains: 8.5 %")
            return
        }
        var cold = situation
        cold.problem.sets = [
            [RoutedSet(experts: [0, 1], count: 1), RoutedSet(experts: [2, 3], count: 1)]
        ]
        result = decide(.age, cold, Cell.onSecond, rate: 1_000, bytesPerSecond: 0.03)
        guard case .again = result.decision,
            case .adopt(let change) = result.state.planned([small], copies: 1)
        else {
            Issue.record("what is there already costs nothing")
            return
        }
        #expect(change.bytes == 0)
    }

    /// A plan could be worth at most as many bytes as links carry in the busy time, beside what
    /// newcomers have room for.
    @Test func theBudgetIsTheBusyTime() {
        func budget(_ reason: PlacementChange.Reason, _ bytesPerSecond: Double) -> Int? {
            decide(
                reason, Self.situation, Self.running, rate: 10, bytesPerSecond: bytesPerSecond
            ).budget
        }
        // 60 of 600 seconds are busy; the devices have 40 bytes.
        #expect(budget(.age, 0.51) == 30)
        #expect(budget(.age, 1) == nil)
        #expect(budget(.members(joined: [], left: ["c"]), 0.051) == 30)
        #expect(budget(.members(joined: ["b"], left: []), 0.031) == 38)
        #expect(budget(.members(joined: ["a", "b"], left: []), 1e-9) == nil)
    }

    /// Nobody asks: nothing is worth moving, but for devices that come and go.
    @Test func idleCellsMoveOnlyForMembers() {
        #expect(!isAdopted(decide(.links(["a"]), Self.situation, Cell.onSecond).decision))
        #expect(!isAdopted(decide(.age, Self.situation, Cell.onSecond).decision))
        let left = PlacementChange.Reason.members(joined: [], left: ["c"])
        #expect(isAdopted(decide(left, Self.situation, Cell.onSecond).decision))
    }

    /// A plan that saves less than a tenth is not worth a byte.
    @Test(arguments: [(0.00179, true), (0.0019, false)])
    func littleIsNotWorthAnything(_ visit: Double, _ isWorthIt: Bool) {
        // Two visits at a: 1 + 2 · v; at a and b: 1 + v. 10 % is at v = 0.125 of that.
        let devices = [
            Cell.device("a", message: 0, visit: 0.001),
            Cell.device("b", message: 0, visit: visit),
        ]
        let sets = [[RoutedSet(experts: [0, 1], count: 1)]]
        let situation = Cell.situation(
            devices, [.device(0), .device(0), .device(1), .device(1)], held: [[0, 1], [2, 3]],
            sets: sets)
        let result = decide(
            .age, situation, [.device(0), .device(1), .device(0), .device(1)], rate: 1e6)
        #expect(isAdopted(result.decision) == isWorthIt)
    }

    /// Bytes to newcomers hold nobody up; bytes to others do.
    @Test func newcomersAreFreeToFill() {
        let situation = Cell.situation(
            Self.devices, Cell.onFirst, held: [[0, 1], []], hasSpare: true)
        let joined = PlacementChange.Reason.members(joined: ["b"], left: [])
        let free = decide(joined, situation, Cell.onSecond, bytesPerSecond: 1e-9)
        #expect(isAdopted(free.decision))
        // The same plan, but a is to hold something else too.
        let moving: [ExpertHome] = [.device(1), .device(1), .device(0), .device(0)]
        var dear = decide(joined, situation, moving, bytesPerSecond: 1e-9)
        guard case .again(moveAtMost: 20) = dear.decision,
            case .adopt(let change) = dear.state.planned([moving], copies: 1)
        else {
            Issue.record("b is given a slot in any case")
            return
        }
        #expect(change.content.devices?["a"] == Self.ids([0, 1]) && change.bytes == 0)
        #expect(change.before == change.after)
    }

    /// Where a plan saves nothing, newcomers hold copies of the hottest.
    @Test func newcomersHoldCopies() {
        let devices = Self.devices + [Cell.device("c")]
        let situation = Cell.situation(
            devices, Cell.onSecond, held: [[0, 1], [2, 3], []], hasSpare: true)
        let joined = PlacementChange.Reason.members(joined: ["c"], left: [])
        let result = decide(joined, situation, Cell.onSecond, copies: 2)
        guard case .adopt(let change) = result.decision else {
            Issue.record("c is given something")
            return
        }
        #expect(change.content.devices?["c"] == [])
        #expect(Set(change.content.standby["c"] ?? []) == Set(Self.ids([0, 1])))
        #expect(change.bytesByDevice == [0, 0, 20])
        // Not for want of devices that have all they should.
        let again = Cell.situation(devices, Cell.onSecond, held: [[0, 1], [2, 3], [0, 1]])
        let left = PlacementChange.Reason.members(joined: [], left: ["d"])
        #expect(!isAdopted(decide(left, again, Cell.onSecond, copies: 2).decision))
    }

    /// Where a device was lost whose experts have copies, further copies are made of them.
    @Test func lostCopiesAreMadeAgain() {
        let devices = [Cell.device("a", memory: 40), Cell.device("b", memory: 40)]
        let situation = Cell.situation(devices, Cell.onSecond, held: [[0, 1], [2, 3]])
        let left = PlacementChange.Reason.members(joined: [], left: ["c"])
        guard case .adopt(let change) = decide(left, situation, Cell.onSecond, copies: 2).decision
        else {
            Issue.record("there is room for copies")
            return
        }
        #expect(change.bytesByDevice == [20, 20] && change.movedBytesByDevice == [0, 0])
    }

    /// What could not be planned is not tried again before something changes.
    @Test func aFailureChangesNothing() {
        var state = ReplanState()
        for second in 0..<2 { _ = state.glance(Cell.glance(Double(second), Self.devices)) }
        let joined = PlacementChange.Reason.members(joined: ["a", "b"], left: [])
        _ = state.begin(joined, Self.situation)
        state.failed()
        #expect(state.hasDecided(for: ["a", "b"]))
        for second in 2..<100 {
            #expect(state.glance(Cell.glance(Double(second), Self.devices)) == .nothing)
        }
        #expect(
            state.glance(Cell.glance(100, [])) == .nothing, "somebody may be about to come back")
        #expect(
            state.glance(Cell.glance(101, [])) == .plan(.members(joined: [], left: ["a", "b"])))
    }

    /// Shipping is measured while it goes on, not when it ends.
    @Test func shippingIsMeasured() {
        var state = ReplanState()
        let assumed = state.bytesPerSecond
        _ = state.glance(Cell.glance(0, Self.devices, shipped: 0, isChanging: true))
        _ = state.glance(Cell.glance(1, Self.devices, shipped: 1, isChanging: false))
        #expect(state.bytesPerSecond == assumed)
        for second in 2..<60 {
            let glance = Cell.glance(
                Double(second), Self.devices, shipped: second * 1_000, isChanging: true)
            _ = state.glance(glance)
        }
        #expect(abs(state.bytesPerSecond - 1_000) < 10)
    }

    /// What devices hold already is kept as their copy, so that a plan ships as little as it can.
    @Test func copiesStayWhereTheyAre() {
        let devices = ["a", "b", "c"].map { Cell.device($0, memory: 20) }
        let homes: [ExpertHome] = [.device(0), .device(1), .device(2), .file]
        for holder in [1, 2] {
            var held = [[0], [1], [2]]
            held[holder].append(0)
            let situation = Cell.situation(devices, homes, held: held)
            let content = situation.content([homes], copies: 2)
            let name = devices[holder].name
            #expect(content.standby[name]?.contains(Self.ids([0])[0]) == true)
            // Nothing is shipped for copies alone.
            let kept = situation.content([homes], copies: 2, shipsCopies: false)
            #expect(kept.standby[name] == Self.ids([0]))
            #expect(situation.bytesToShip(kept) == [0, 0, 0])
        }
    }

    private static func ids(_ experts: [Int]) -> [ExpertID] {
        experts.map { ExpertID(layer: 0, expert: $0) }
    }
}
