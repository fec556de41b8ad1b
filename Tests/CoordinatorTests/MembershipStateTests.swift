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
}
