import SystemModel
import Testing

@testable import Coordinator

struct DispatchStateTests {
    private let a = DeviceID(1)
    private let b = DeviceID(2)

    private func state() -> DispatchState {
        var state = DispatchState()
        for (request, group, device, deadline) in [(10, 0, a, 5), (11, 1, b, 7), (12, 2, a, 9)] {
            state.sent(
                UInt64(request),
                .init(
                    shipment: group, device: device, sent: .zero,
                    deadline: .seconds(deadline)))
        }
        return state
    }

    @Test func answersEndTheRound() {
        var state = state()
        #expect(state.answered(10, by: a)?.shipment == 0)
        #expect(state.answered(11, by: b)?.shipment == 1)
        #expect(!state.isDone)
        #expect(state.answered(12, by: a)?.shipment == 2)
        #expect(state.isDone && state.nextDeadline == nil)
    }

    @Test func strangersAndRepeatsAreIgnored() {
        var state = state()
        #expect(state.answered(10, by: b) == nil, "b was not asked")
        #expect(state.answered(99, by: a) == nil)
        #expect(state.answered(10, by: a) != nil)
        #expect(state.answered(10, by: a) == nil, "a second answer")
    }

    @Test func aLostDeviceGivesItsGroupsBack() {
        var state = state()
        #expect(state.lost(a).map(\.shipment) == [0, 2])
        #expect(state.lost(a).isEmpty)
        #expect(state.nextDeadline == .seconds(7))
    }

    @Test func lateGroupsExpireOnceAndInOrder() {
        var state = state()
        #expect(state.expired(now: .seconds(4)).isEmpty)
        #expect(state.expired(now: .seconds(7)).map(\.shipment) == [0, 1])
        #expect(state.answered(10, by: a) == nil, "too late")
        #expect(state.nextDeadline == .seconds(9))
    }
}
