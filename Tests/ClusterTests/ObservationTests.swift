import Coordinator
import MoEModel
import SystemModel
import Tensors
import TestSupport
import Testing

/// What the base station tells of its devices.
@Suite(.timeLimit(.minutes(5))) struct ObservationTests {
    /// A step's costs name the device that computed each expert; once a device is lost, its experts
    /// have no host and its groups count as recomputed.
    @Test func costsNameWhoComputed() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let cell = try await TestCell(model, .inProcess)
        try await cell.start(devices: ["a", "b"])
        let experts = cell.experts()
        _ = try model.logits(ids, experts)
        let cost = experts.takeCosts()
        let membership = cell.coordinator.membership
        var hosts: Set<String> = []
        for (layer, slots) in membership.placement.slots.enumerated() {
            for (expert, slot) in slots.enumerated() {
                guard let host = cost.hosts[layer][expert] else { continue }
                let member = membership.members.values.first { $0.slot == slot }
                #expect(member?.description.name == host)
                hosts.insert(host)
            }
        }
        #expect(hosts == ["a", "b"])
        #expect(cost.recomputedGroups == 0)
        let record = try #require(cell.coordinator.links.all["a"])
        #expect(record.batches.count == cost.devices["a"]?.roundTrips)
        #expect(record.hopSeconds != nil)

        cell.cut("a")
        await cell.coordinator.wait { $0.members.count == 1 }
        _ = try model.logits(ids, experts)
        let after = experts.takeCosts()
        #expect(!after.hosts.joined().contains("a"))
        #expect(after.hosts.joined().contains("b"))
        #expect(after.recomputedGroups > 0)
        await cell.close()
    }

    /// Idle devices answer pings; no second one is sent before the first is answered.
    @Test(arguments: Depth.allCases)
    func pingsAreTimed(_ depth: Depth) async throws {
        let cell = try await TestCell(try tinyModel("mixtral"), depth)
        try await cell.start(devices: ["a", "b"])
        cell.coordinator.ping(RealClock())
        cell.coordinator.ping(RealClock())
        for name in ["a", "b"] {
            while cell.coordinator.links.all[name]?.pings.count == 0 {
                try await Task.sleep(for: .milliseconds(1))
            }
            let record = try #require(cell.coordinator.links.all[name])
            #expect(record.pings.count >= 1)
            #expect(record.pingSeconds != nil)
        }
        await cell.close()
    }
}
