import Planning
import SystemModel
import Testing

@testable import Coordinator

/// When devices are told to keep experts on disk, and what that is worth to the next plan.
struct KeptExpertsTests {
    private static let shape = MembershipStateTests.shape
    private static let (a, b, c) = (DeviceID(1), DeviceID(2), DeviceID(3))
    private static let all = (0..<2).flatMap { layer in
        (0..<4).map { ExpertID(layer: layer, expert: $0) }
    }

    private func device(_ name: String, disk: Int? = 1_000) -> DeviceDescription {
        DeviceDescription(
            name: name, memoryBytes: 1_000, cores: 1, instructionSet: "test",
            memoryGigabytesPerSecond: 1, gigaflopsPerSecond: 1, diskBytes: disk)
    }

    /// Two devices with half of the experts each, which they have.
    private func cell(disk: Int? = 1_000) -> MembershipState {
        var state = MembershipState(shape: Self.shape, shares: .equal)
        _ = state.joined(Self.a, device("a", disk: disk))
        _ = state.joined(Self.b, device("b", disk: disk))
        _ = state.replan()
        for id in [Self.a, Self.b] { load(id, &state) }
        return state
    }

    private func load(_ id: DeviceID, _ state: inout MembershipState, kept: [ExpertID] = []) {
        state.progressed(
            id, ready: state.members[id]?.assigned ?? [], bytesFetched: 0, bytesFromCache: 0,
            kept: kept, bytesKept: 10 * kept.count)
    }

    private func experts(_ id: DeviceID, _ state: MembershipState) -> Set<ExpertID> {
        Set(state.members[id]?.assigned ?? [])
    }

    /// Only once everybody has what it was assigned, and then once.
    @Test func keepingBeginsWhenNothingElseIsMissing() {
        var state = MembershipState(shape: Self.shape, shares: .equal)
        _ = state.joined(Self.a, device("a"))
        _ = state.joined(Self.b, device("b"))
        _ = state.replan()
        load(Self.a, &state)
        #expect(state.keepAhead(nil).isEmpty, "b has nothing yet")
        load(Self.b, &state)
        let actions = state.keepAhead(nil)
        #expect(actions.count == 2)
        for case .assign(let id, let experts, let kept) in actions {
            #expect(experts == state.members[id]?.assigned, "they stay")
            #expect(Set(kept) == Set(Self.all).subtracting(experts))
        }
        #expect(state.keepAhead(nil).isEmpty)
        #expect(state.isComplete && state.isSettled && !state.isChanging && state.bytesToShip == 0)
        #expect(state.members[Self.a]?.kept.isEmpty == true, "told, but not there")
    }

    @Test func whoOffersNoDiskKeepsNothing() {
        var state = cell(disk: nil)
        #expect(state.keepAhead(nil).isEmpty)
        state = cell(disk: 50)
        // 40 bytes of the folder are the assigned experts'.
        for case .assign(_, _, let kept) in state.keepAhead(nil) { #expect(kept.count == 1) }
    }

    @Test func onlyWhatIsToBeKeptIsBelieved() {
        var state = cell()
        _ = state.keepAhead(nil)
        let own = experts(Self.a, state)
        load(Self.a, &state, kept: Self.all)
        #expect(Set(state.members[Self.a]?.kept ?? []) == Set(Self.all).subtracting(own))
        #expect(state.members[Self.a]?.ready == own)
    }

    /// After a loss the other one is assigned what is on its disk: nothing is to be shipped.
    @Test func aLossIsMendedFromDisk() {
        var state = cell()
        _ = state.keepAhead(nil)
        for id in [Self.a, Self.b] { load(id, &state, kept: state.members[id]?.toKeep ?? []) }
        let own = experts(Self.a, state)
        state.left(Self.b)
        #expect(state.keepAhead(nil).isEmpty, "a plan is made first")
        let actions = state.replan()
        #expect(actions == [.assign(Self.a, Self.all)])
        #expect(state.members[Self.a]?.ready == own && state.bytesToShip == 0 && !state.isComplete)
        load(Self.a, &state)
        #expect(state.isComplete)
    }

    /// What leaves memory stays on disk, and is known to be there once the device says so.
    @Test func whatLeavesMemoryStaysOnDisk() {
        var state = cell(disk: 60)
        state.left(Self.b)
        _ = state.replan()
        load(Self.a, &state)
        _ = state.joined(Self.b, device("b"))
        let actions = state.replan()
        let own = experts(Self.a, state)
        guard case .assign(Self.a, _, let kept) = actions.first else {
            Issue.record("a is told what it holds from now on")
            return
        }
        #expect(own.count == 4 && kept.count == 2, "60 bytes less 40")
        #expect(own.isDisjoint(with: kept))
    }

    /// A device that needs experts now is not kept waiting by those that do not.
    @Test func aNewcomerInterrupts() {
        var state = cell()
        _ = state.keepAhead(nil)
        let wanted = state.members[Self.a]?.toKeep ?? []
        load(Self.a, &state, kept: Array(wanted.prefix(1)))
        state.left(Self.b)
        let actions = state.joined(Self.c, device("c"))
        #expect(actions.count == 2)
        #expect(
            actions.last
                == .assign(
                    Self.a, state.members[Self.a]?.assigned ?? [], kept: Array(wanted.prefix(1))))
        #expect(state.keepAhead(nil).isEmpty, "c loads")
        load(Self.c, &state)
        #expect(state.keepAhead(nil).count == 2)
        #expect(Set(state.members[Self.a]?.toKeep ?? []) == Set(wanted))
    }

    /// A plan counts what is on a device's disk as there, and knows that it is not in memory.
    @Test func aPlanShipsNothingThatIsOnDisk() {
        var state = cell()
        _ = state.keepAhead(nil)
        for id in [Self.a, Self.b] { load(id, &state, kept: state.members[id]?.toKeep ?? []) }
        let own = experts(Self.a, state)
        state.left(Self.b)
        let situation = PlacementSituation(
            state, Self.shape, MeasuredLatencies(shape: Self.shape),
            sets: Array(repeating: [RoutedSet(experts: [0, 1], count: 1)], count: 2),
            residentBytes: 0)
        let homes = [[ExpertHome]](
            repeating: [ExpertHome](repeating: .device(0), count: 4), count: 2)
        #expect(situation.bytesToShip(homes) == [0])
        #expect(situation.held == [Set(Self.all)])
        #expect(situation.onDisk == [Set(Self.all).subtracting(own)])
        #expect(situation.loadsFromDisk(situation.content(homes, copies: 1)))
    }
}
