import SystemModel
import Testing

@testable import Coordinator

struct MembershipStateTests {
    /// Two layers of four experts of 10 bytes.
    static let shape = ModelShape(
        layers: 2, experts: 4, expertsPerToken: 2, hidden: 8, expertBytes: [10, 10])

    private func device(_ name: String, memory: Int = 1000, speed: Double = 1) -> DeviceDescription
    {
        DeviceDescription(
            name: name, memoryBytes: memory, cores: 1, instructionSet: "test",
            memoryGigabytesPerSecond: speed, gigaflopsPerSecond: 1)
    }

    private func cell(_ names: [String]) -> MembershipState {
        var state = MembershipState(shape: Self.shape, shares: .equal)
        for (number, name) in names.enumerated() {
            #expect(state.joined(DeviceID(UInt32(number + 1)), device(name)).isEmpty)
        }
        _ = state.replan()
        return state
    }

    @Test func aPlanDealsEveryExpertOnce() {
        let state = cell(["a", "b"])
        let dealt = (0..<2).flatMap { state.placement.experts(inSlot: $0) }
        #expect(Set(dealt).count == 8 && dealt.count == 8)
        #expect(!state.isSettled && !state.hasSpareDevices)
    }

    @Test func onlyReadyExpertsAreRouted() {
        var state = cell(["a", "b"])
        let experts = state.placement.experts(inSlot: 0)
        #expect(state.device(inSlot: 0, having: experts) == nil)
        state.progressed(
            DeviceID(1), ready: Array(experts.prefix(1)), bytesFetched: 10, bytesFromCache: 0)
        #expect(state.device(inSlot: 0, having: [experts[0]]) == DeviceID(1))
        #expect(state.device(inSlot: 0, having: experts) == nil)
        state.progressed(
            DeviceID(1), ready: Array(experts.dropFirst()), bytesFetched: 40, bytesFromCache: 0)
        #expect(state.device(inSlot: 0, having: experts) == DeviceID(1))
    }

    @Test func aDeviceCannotClaimExpertsItWasNotGiven() {
        var state = cell(["a", "b"])
        let foreign = state.placement.experts(inSlot: 1)
        state.progressed(DeviceID(1), ready: foreign, bytesFetched: 0, bytesFromCache: 0)
        #expect(state.members[DeviceID(1)]?.ready.isEmpty == true)
    }

    @Test func aLateDeviceGetsNoWorkUntilItAnswers() {
        var state = cell(["a"])
        let experts = state.placement.experts(inSlot: 0)
        state.progressed(DeviceID(1), ready: experts, bytesFetched: 0, bytesFromCache: 0)
        state.late(DeviceID(1))
        #expect(state.device(inSlot: 0, having: experts) == nil)
        state.answered(DeviceID(1))
        #expect(state.device(inSlot: 0, having: experts) == DeviceID(1))
    }

    @Test func aNewcomerTakesTheSlotOfOneThatLeft() {
        var state = cell(["a", "b"])
        let placement = state.placement
        state.left(DeviceID(2))
        let actions = state.joined(DeviceID(3), device("c"))
        #expect(actions == [.assign(DeviceID(3), placement.experts(inSlot: 1))])
        #expect(state.placement == placement, "groups stay while an answer may be under way")
    }

    @Test func aNewcomerTooSmallForTheSlotWaits() {
        var state = cell(["a", "b"])
        state.left(DeviceID(2))
        #expect(state.joined(DeviceID(3), device("c", memory: 15)).isEmpty)
        #expect(state.hasSpareDevices)
    }

    @Test func namesAreMadeUnique() {
        let state = cell(["a", "b"])
        #expect(state.uniqueName(device("a")).name == "a-2")
        #expect(state.uniqueName(device("c")).name == "c")
    }

    private static func ids(_ layer: Int, _ experts: [Int]) -> [ExpertID] {
        experts.map { ExpertID(layer: layer, expert: $0) }
    }

    private static func plan(_ devices: [String: [ExpertID]]) -> ContentPlan {
        var plan = ContentPlan()
        plan.devices = devices
        return plan
    }

    /// Two devices change experts: until the new holders are ready the old ones compute, and then
    /// what is not in the plan goes.
    @Test func aChangeOfPlansIsMadeBeforeAnythingIsBroken() {
        var state = MembershipState(
            shape: Self.shape, shares: .equal,
            content: Self.plan(["a": Self.ids(0, [0, 1]), "b": Self.ids(0, [2, 3])]))
        for (number, name) in ["a", "b"].enumerated() {
            let id = DeviceID(UInt32(number + 1))
            _ = state.joined(id, device(name, memory: 35))
        }
        _ = state.replan()
        let (a, b) = (DeviceID(1), DeviceID(2))
        state.progressed(a, ready: Self.ids(0, [0, 1]), bytesFetched: 0, bytesFromCache: 0)
        state.progressed(b, ready: Self.ids(0, [2, 3]), bytesFetched: 0, bytesFromCache: 0)
        let new = Self.plan(["a": Self.ids(0, [0, 2]), "b": Self.ids(0, [1, 3])])
        // Each has room for three experts: its two, and what it gives away.
        #expect(
            state.adopt(new) == [
                .assign(a, Self.ids(0, [0, 2, 1])), .assign(b, Self.ids(0, [1, 3, 2])),
            ])
        #expect(state.members[a]?.ready == Set(Self.ids(0, [0, 1])))
        #expect(state.placement.slot(of: ExpertID(layer: 0, expert: 2)) == 0)
        #expect(state.finishChange().isEmpty)
        state.progressed(a, ready: Self.ids(0, [2]), bytesFetched: 0, bytesFromCache: 0)
        #expect(state.finishChange().isEmpty)
        state.progressed(b, ready: Self.ids(0, [1]), bytesFetched: 0, bytesFromCache: 0)
        #expect(
            state.finishChange() == [
                .assign(a, Self.ids(0, [0, 2])), .assign(b, Self.ids(0, [1, 3])),
            ])
        #expect(state.members[a]?.ready == Set(Self.ids(0, [0, 2])))
        #expect(state.finishChange().isEmpty)
    }

    /// Without room for both, the plan's own experts win and nothing is claimed that is not there.
    @Test func aChangeOfPlansKeepsWithinMemory() {
        var state = MembershipState(
            shape: Self.shape, shares: .equal,
            content: Self.plan(["a": Self.ids(0, [0, 1])]))
        _ = state.joined(DeviceID(1), device("a", memory: 20))
        _ = state.replan()
        state.progressed(
            DeviceID(1), ready: Self.ids(0, [0, 1]), bytesFetched: 0, bytesFromCache: 0)
        let actions = state.adopt(Self.plan(["a": Self.ids(1, [0, 1])]))
        #expect(actions == [.assign(DeviceID(1), Self.ids(1, [0, 1]))])
        #expect(state.members[DeviceID(1)]?.ready.isEmpty == true)
    }

    /// What no longer fits goes from the end, copies first, and comes back with the memory; groups
    /// stay.
    @Test func aSmallerOfferIsAnsweredAtOnce() {
        var plan = Self.plan(["a": Self.ids(0, [0, 1])])
        plan.standby = ["a": Self.ids(0, [2])]
        var state = MembershipState(shape: Self.shape, shares: .equal, content: plan)
        let a = DeviceID(1)
        _ = state.joined(a, device("a", memory: 30))
        #expect(state.offered(a, memoryBytes: 35).isEmpty, "it is spare")
        _ = state.replan()
        let placement = state.placement
        let ready = Self.ids(0, [0, 1, 2])
        state.progressed(a, ready: ready, bytesFetched: 30, bytesFromCache: 0)
        #expect(state.members[a]?.description.memoryBytes == 35 && state.isComplete)
        #expect(state.offered(a, memoryBytes: 30).isEmpty, "all fits")
        #expect(state.offered(a, memoryBytes: 19) == [.assign(a, Self.ids(0, [0]))])
        #expect(state.members[a]?.ready == Set(Self.ids(0, [0])))
        #expect(state.device(inSlot: 0, having: Self.ids(0, [1])) == nil)
        #expect(state.isSettled && !state.isChanging, "nobody waits for what has no room")
        #expect(state.placement == placement)
        #expect(state.offered(a, memoryBytes: 29) == [.assign(a, Self.ids(0, [0, 1]))])
        #expect(!state.isSettled, "one is on its way again")
        #expect(state.offered(DeviceID(9), memoryBytes: 1).isEmpty, "it has left")
    }

    /// The next plan uses what more is offered.
    @Test func aLargerOfferIsPlannedWith() {
        var state = MembershipState(shape: Self.shape, shares: .equal)
        let a = DeviceID(1)
        _ = state.joined(a, device("a", memory: 30))
        _ = state.replan()
        #expect(state.members[a]?.assigned.count == 3)
        #expect(state.offered(a, memoryBytes: 60).isEmpty)
        _ = state.replan()
        #expect(state.members[a]?.assigned.count == 6)
    }

    /// Who stands by computes nothing while the device that is to compute is there, and all of it
    /// where that is not.
    @Test func standingByIsNotComputing() {
        var plan = Self.plan(["a": Self.ids(0, [0]), "b": Self.ids(0, [1, 2])])
        plan.standby = ["a": Self.ids(0, [1, 3]), "b": Self.ids(0, [0])]
        var state = MembershipState(shape: Self.shape, shares: .equal, content: plan)
        _ = state.joined(DeviceID(1), device("a"))
        _ = state.joined(DeviceID(2), device("b"))
        _ = state.replan()
        #expect(state.placement.slots[0] == [0, 1, 1, 0], "of 3 nobody else is the home")
        #expect(state.members[DeviceID(2)]?.assigned == Self.ids(0, [1, 2, 0]))
        var alone = MembershipState(shape: Self.shape, shares: .equal, content: plan)
        _ = alone.joined(DeviceID(1), device("a"))
        _ = alone.replan()
        #expect(alone.placement.slots[0] == [0, 0, nil, 0])
    }
}
