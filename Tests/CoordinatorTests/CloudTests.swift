import SystemModel
import Testing

@testable import Coordinator

/// What far nodes hold, and when they are asked.
struct CloudTests {
    /// Two layers of four experts of 10 bytes.
    static let shape = ModelShape(
        layers: 2, experts: 4, expertsPerToken: 2, hidden: 8, expertBytes: [10, 10])

    private func node(
        _ name: String, memory: Int, role: DeviceDescription.Role? = nil
    ) -> DeviceDescription {
        DeviceDescription(
            name: name, memoryBytes: memory, cores: 1, instructionSet: "test",
            memoryGigabytesPerSecond: 1, gigaflopsPerSecond: 1, role: role)
    }

    private func cell(
        _ nodes: [DeviceDescription], content: ContentPlan = ContentPlan()
    ) -> MembershipState {
        var state = MembershipState(shape: Self.shape, shares: .equal, content: content)
        for (number, node) in nodes.enumerated() {
            #expect(state.joined(DeviceID(UInt32(number + 1)), node).isEmpty)
        }
        _ = state.replan()
        return state
    }

    @Test func aFarNodeTakesNoPartInTheSplit() {
        let alone = cell([node("a", memory: 30), node("b", memory: 20)])
        let state = cell([
            node("a", memory: 30), node("cloud", memory: 80, role: .cloud), node("b", memory: 20),
        ])
        for slot in 0..<2 {
            #expect(
                state.placement.experts(inSlot: slot) == alone.placement.experts(inSlot: slot))
        }
        #expect(state.cloudSlots == 2..<3)
        #expect(state.placement.experts(inSlot: 2).count == 3, "what has room nowhere else")
        #expect(state.members[DeviceID(2)]?.slot == 2)
        #expect(Set(state.members[DeviceID(2)]?.assigned ?? []).count == 8, "and all the rest")
        #expect(!state.hasSpareDevices)
    }

    @Test func theHottestComeFirst() {
        var content = ContentPlan()
        content.popularity = [[1, 9, 2, 3], [8, 4, 5, 6]]
        content.resident = [ExpertID(layer: 0, expert: 1)]
        let state = cell([node("cloud", memory: 30, role: .cloud)], content: content)
        #expect(
            Set(state.members[DeviceID(1)]?.assigned ?? [])
                == [
                    ExpertID(layer: 1, expert: 0), ExpertID(layer: 1, expert: 3),
                    ExpertID(layer: 1, expert: 2),
                ])
        #expect(state.placement.slot(of: ExpertID(layer: 0, expert: 1)) == nil)
    }

    @Test func slotsGoToTheirOwnKind() {
        var state = cell([node("a", memory: 80), node("cloud", memory: 80, role: .cloud)])
        state.left(DeviceID(1))
        state.left(DeviceID(2))
        let cloud = state.joined(DeviceID(3), node("cloud", memory: 80, role: .cloud))
        guard case .assign(DeviceID(3), let copies, _) = cloud.first else {
            Issue.record("the far node has its slot again")
            return
        }
        #expect(Set(copies).count == 8)
        #expect(state.members[DeviceID(3)]?.slot == 1)
        let other = state.joined(DeviceID(4), node("cloud-2", memory: 80, role: .cloud))
        #expect(other.isEmpty && state.hasSpareDevices, "a device's slot is not a far node's")
        _ = state.joined(DeviceID(5), node("b", memory: 80))
        #expect(state.members[DeviceID(5)]?.slot == 0)
    }

    private func outlook(
        cloud: Double, file: Double, devices: Double = 0, measured: Bool = true
    ) -> CloudState.Outlook {
        func perToken(_ seconds: Double) -> DeviceLatency {
            DeviceLatency(message: .zero, token: Seconds(seconds))
        }
        return CloudState.Outlook(
            rows: 1, ownRows: 0, devicesSeconds: devices, cloud: perToken(cloud),
            memory: perToken(1e-6), file: perToken(file), isMeasured: measured)
    }

    @Test func theSoonerIsChosen() {
        var state = CloudState(trialShare: 0)
        #expect(state.sends(outlook(cloud: 1, file: 2)) == true)
        #expect(state.sends(outlook(cloud: 2, file: 1)) == false)
        #expect(state.sends(outlook(cloud: 1, file: 2, measured: false)) == false)
        #expect(
            state.sends(outlook(cloud: 1, file: 2, devices: 3)) == false, "no frame for nothing")
    }

    /// The base station's own rows delay what it reads from its file, not what is far away.
    @Test func ownRowsCount() {
        var state = CloudState(trialShare: 0)
        var outlook = outlook(cloud: 3, file: 2)
        outlook.memory = DeviceLatency(message: .zero, token: Seconds(1))
        #expect(state.sends(outlook) == false)
        outlook.ownRows = 2
        #expect(state.sends(outlook) == true)
    }

    /// The slower way is tried as often as its share of the time pays for, and no more.
    @Test(arguments: [(cloud: 0.1, file: 0.001), (cloud: 0.001, file: 0.1)])
    func trialsCostTheirShare(_ seconds: (cloud: Double, file: Double)) {
        var state = CloudState(trialShare: 0.02)
        var (spent, least, trials) = (0.0, 0.0, 0)
        for _ in 0..<50_000 {
            let sends = state.sends(outlook(cloud: seconds.cloud, file: seconds.file))
            spent += sends ? seconds.cloud : seconds.file
            least += min(seconds.cloud, seconds.file)
            if sends == (seconds.cloud > seconds.file) { trials += 1 }
        }
        #expect(trials > 5)
        #expect(spent <= 1.021 * least)
    }

    /// A far node that nobody has measured yet is tried once base station and clock allow.
    @Test func theFirstTrialMeasures() {
        var state = CloudState()
        let first = (1...1000).first { _ in
            state.sends(outlook(cloud: 0.005, file: 0.02, measured: false))
        }
        #expect((2...100).contains(first ?? 0))
    }
}
