import Planning
import SystemModel
import Testing

@testable import Coordinator

/// Every decision of `ReplanState`, with a time that the tests make.
struct ReplanStateTests {
    /// One layer of four experts of 10 bytes.
    static let shape = ModelShape(
        layers: 1, experts: 4, expertsPerToken: 2, hidden: 8, expertBytes: [10])
    static let sets = [
        [RoutedSet(experts: [0, 1], count: 9), RoutedSet(experts: [2, 3], count: 1)]
    ]

    typealias Device = DeploymentProblem.Device

    static func device(
        _ name: String, memory: Int = 20, message: Double = 0.001, visit: Double = 0.001
    ) -> Device {
        Device(name: name, memoryBytes: memory, messageSeconds: message, visitSeconds: visit)
    }

    static func situation(
        _ devices: [Device], _ running: [ExpertHome], held: [[Int]], sets: [[RoutedSet]] = sets,
        hasSpare: Bool = false
    ) -> PlacementSituation {
        PlacementSituation(
            problem: DeploymentProblem(
                shape: shape, sets: sets, devices: devices, residentBytes: 0, residentSeconds: 0,
                fileSeconds: 0.01, promptRows: 0, frameSeconds: 0),
            running: [running],
            held: held.map { Set($0.map { ExpertID(layer: 0, expert: $0) }) }, hasSpare: hasSpare)
    }

    static func glance(
        _ seconds: Double, _ devices: [Device], far: Set<String> = [], rows: Int = 0,
        together: Int = 1, shipped: Int = 0, isChanging: Bool = false
    ) -> ReplanState.Glance {
        ReplanState.Glance(
            now: .seconds(seconds), devices: devices, farNodes: far, rows: rows,
            rowsPerStep: together, bytesShipped: shipped, isChanging: isChanging)
    }

    static let (inFile, onFirst, onSecond) = (
        [ExpertHome](repeating: .file, count: 4),
        [ExpertHome.device(0), .device(0), .file, .file],
        [ExpertHome.device(0), .device(0), .device(1), .device(1)]
    )

    /// `a` holds the hot experts since second 1.
    private func settled(_ rules: ReplanState.Rules = ReplanState.Rules()) -> ReplanState {
        var state = ReplanState(rules)
        let devices = [Self.device("a")]
        _ = state.glance(Self.glance(0, devices))
        let step = state.glance(Self.glance(1, devices))
        #expect(step == .plan(.members(joined: ["a"], left: [])))
        #expect(
            state.begin(
                .members(joined: ["a"], left: []),
                Self.situation(devices, Self.inFile, held: [[]], hasSpare: true)) == nil)
        guard case .adopt(let change) = state.planned([Self.onFirst], copies: 1) else {
            Issue.record("the first plan is adopted")
            return state
        }
        #expect(change.content.devices == ["a": Self.ids([0, 1])])
        #expect(change.bytes == 20 && abs(change.before.secondsPerToken - 0.02) < 1e-12)
        state.adopted()
        return state
    }

    private static func ids(_ experts: [Int]) -> [ExpertID] {
        experts.map { ExpertID(layer: 0, expert: $0) }
    }

    @Test func anEmptyCellIsNotPlannedFor() {
        var state = ReplanState()
        for second in 0..<100 { #expect(state.glance(Self.glance(Double(second), [])) == .nothing) }
        #expect(!state.hasDecided(for: []))
    }

    /// Devices that start together are planned for together.
    @Test func newcomersAreGathered() {
        var state = ReplanState()
        let (a, b) = (Self.device("a"), Self.device("b"))
        #expect(state.glance(Self.glance(0, [a])) == .nothing)
        #expect(state.glance(Self.glance(1, [a, b])) == .nothing)
        #expect(state.glance(Self.glance(1.5, [a, b])) == .nothing)
        #expect(
            state.glance(Self.glance(2, [a, b]))
                == .plan(.members(joined: ["a", "b"], left: [])))
    }

    @Test func nothingHappensWhileAllIsAsForeseen() {
        var state = settled()
        for second in 2..<10_000 {
            let step = state.glance(Self.glance(Double(second), [Self.device("a")], rows: 511))
            #expect(step == .nothing)
        }
        #expect(state.hasDecided(for: ["a"]) && !state.hasDecided(for: ["a", "b"]))
    }

    /// After the dwell, and only once tokens came.
    @Test func otherBatchesWantAnotherPlan() {
        var state = settled()
        let devices = [Self.device("a")]
        for second in 2..<200 {
            let glance = Self.glance(Double(second), devices, rows: 0, together: 8)
            #expect(state.glance(glance) == .nothing)
        }
        let reason = PlacementChange.Reason.batch(rows: 8)
        #expect(state.glance(Self.glance(200, devices, rows: 9, together: 8)) == .plan(reason))
        #expect(reason.text == "steps are of 8 rows" && !reason.isMembership)
        var situation = Self.situation(devices, Self.onFirst, held: [[0, 1]])
        situation.problem = situation.problem.decodingTogether(8)
        _ = state.begin(reason, situation)
        guard case .keep = state.planned([Self.onFirst], copies: 1) else {
            Issue.record("nothing is better")
            return
        }
        let glance = Self.glance(600, devices, rows: 20, together: 8)
        #expect(state.glance(glance) == .nothing, "it was planned for")
        #expect(
            state.weigh(Self.situation(devices, Self.onFirst, held: [[0, 1]])) == nil,
            "of another number of rows")
    }

    /// While one is being made or adopted, and while experts move, nothing else is begun.
    @Test func oneChangeAtATime() {
        var state = settled()
        let devices = [Self.device("a"), Self.device("b")]
        let joined = PlacementChange.Reason.members(joined: ["b"], left: [])
        for second in [2.0, 3, 4, 5] {
            let glance = Self.glance(second, devices, isChanging: true)
            #expect(state.glance(glance) == .nothing, "the first change is under way")
        }
        #expect(state.glance(Self.glance(6, devices)) == .plan(joined))
        _ = state.begin(joined, Self.situation(devices, Self.onFirst, held: [[0, 1], []]))
        #expect(state.glance(Self.glance(7, [devices[1]])) == .nothing, "one is being planned")
        guard case .adopt = state.planned([Self.onSecond], copies: 1) else {
            Issue.record("b takes what the file holds")
            return
        }
        #expect(state.glance(Self.glance(8, [devices[1]])) == .nothing, "not adopted yet")
        #expect(!state.hasDecided(for: ["a", "b"]))
        state.adopted()
        #expect(state.hasDecided(for: ["a", "b"]))
        #expect(
            state.glance(Self.glance(9, [devices[1]]))
                == .plan(.members(joined: [], left: ["a"])))
    }

    /// A change that takes long does not keep a lost device from being answered for ever.
    @Test func membersWaitForAChangeOnlySoLong() {
        var state = settled()
        let rules = state.rules
        for second in stride(from: 2.0, to: 2 + rules.longestWait.seconds, by: 1) {
            #expect(state.glance(Self.glance(second, [], isChanging: true)) == .nothing)
        }
        let late = Self.glance(2 + rules.longestWait.seconds, [], isChanging: true)
        #expect(state.glance(late) == .plan(.members(joined: [], left: ["a"])))
    }

    /// Slower or faster by more than 15 %, but not before the dwell has passed.
    @Test(arguments: [1.151, 0.849])
    func linksThatChangedArePlannedForAfterTheDwell(_ factor: Double) {
        var state = settled()
        let changed = [Self.device("a", message: 0.002 * factor - 0.001)]
        #expect(state.glance(Self.glance(60, changed)) == .nothing)
        #expect(state.glance(Self.glance(61, changed)) == .plan(.links(["a"])))
    }

    @Test(arguments: [1.149, 1, 0.851])
    func linksThatWanderAreNot(_ factor: Double) {
        var state = settled()
        let changed = [Self.device("a", message: 0.002 * factor - 0.001)]
        #expect(state.glance(Self.glance(1_000, changed)) == .nothing)
    }

    /// Planned for at once, but its link is in use: what moves to it must pay.
    @Test(arguments: [10, 40])
    func memoryThatChangedIsPlannedFor(_ bytes: Int) {
        var state = settled()
        let reason = PlacementChange.Reason.members(joined: [], left: [], resized: ["a"])
        let changed = [Self.device("a", memory: bytes)]
        #expect(state.glance(Self.glance(2, changed)) == .plan(reason))
        #expect(reason.text == "a changed memory")
        #expect(reason.isMembership && reason.joined.isEmpty)
    }

    @Test func farNodesAreMembersToo() {
        var state = settled()
        let devices = [Self.device("a")]
        _ = state.glance(Self.glance(2, devices, far: ["cloud"]))
        let joined = PlacementChange.Reason.members(joined: ["cloud"], left: [])
        #expect(state.glance(Self.glance(3, devices, far: ["cloud"])) == .plan(joined))
        // Nothing moves, but the far node is given its part.
        _ = state.begin(
            joined, Self.situation(devices, Self.onFirst, held: [[0, 1]], hasSpare: true))
        guard case .adopt(let change) = state.planned([Self.onFirst], copies: 1) else {
            Issue.record("a far node is given what devices do not hold")
            return
        }
        #expect(change.bytes == 0 && change.before == change.after)
        state.adopted()
        #expect(state.hasDecided(for: ["a", "cloud"]))
        _ = state.glance(Self.glance(4, devices))
        #expect(
            state.glance(Self.glance(5, devices)) == .plan(.members(joined: [], left: ["cloud"])))
    }

    /// Looked at every 512 rows after the dwell; worse by more than 15 % is a reason.
    @Test func popularityIsWeighed() {
        var state = settled()
        let devices = [Self.device("a")]
        #expect(state.glance(Self.glance(60, devices, rows: 600)) == .nothing)
        #expect(state.glance(Self.glance(61, devices, rows: 511)) == .nothing)
        #expect(state.glance(Self.glance(62, devices, rows: 512)) == .weigh)
        // As foreseen: 0.9 · 3 ms + 0.1 · 20 ms = 4.7 ms.
        let same = Self.situation(devices, Self.onFirst, held: [[0, 1]])
        #expect(state.weigh(same) == nil)
        #expect(state.glance(Self.glance(63, devices, rows: 600)) == .nothing, "looked at already")
        #expect(state.glance(Self.glance(64, devices, rows: 1_024)) == .weigh)
        var other = same
        other.problem.sets = [
            [RoutedSet(experts: [0, 1], count: 85), RoutedSet(experts: [2, 3], count: 15)]
        ]
        // 5.55 ms, which is 18 % more.
        guard case .popularity(let increase) = state.weigh(other) else {
            Issue.record("tokens visit what is not there")
            return
        }
        #expect(abs(increase - 0.85 / 4.7) < 1e-9)
        other.problem.sets[0][0].count = 86
        other.problem.sets[0][1].count = 14
        #expect(state.weigh(other) == nil, "14.5 % more")
        // Links are another matter: the times of the last decision count.
        other = same
        other.problem.fileSeconds = 1
        #expect(state.weigh(other) == nil)
        // Nor is anything compared between different devices.
        other = Self.situation([], [.file, .file, .file, .file], held: [])
        #expect(state.weigh(other) == nil)
    }

    @Test func anOldPlanIsMadeAnewWhereTokensCame() {
        var state = settled()
        let devices = [Self.device("a")]
        let same = Self.situation(devices, Self.onFirst, held: [[0, 1]])
        #expect(state.glance(Self.glance(600, devices, rows: 512)) == .weigh)
        #expect(state.weigh(same) == nil)
        #expect(state.glance(Self.glance(601, devices, rows: 512)) == .nothing, "no more tokens")
        #expect(state.glance(Self.glance(602, devices, rows: 1_024)) == .weigh)
        #expect(state.weigh(same) == .age)
    }
}
