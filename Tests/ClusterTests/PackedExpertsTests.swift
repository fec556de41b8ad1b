import Coordinator
import MoEModel
import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing
import Wire

/// Experts copied into packed memory, on devices and at the base station, compute the same bits.
struct PackedExpertsTests {
    private static let ids = [1, 980, 353, 263, 2629, 2448]

    @Test func packedCopiesChangeNoBit() async throws {
        let model = try Model(ModelFile.open(Fixtures.demoModel))
        let local = try model.logits(Self.ids, LocalExperts(layers: model.experts))
        let folder = try TemporaryFolder()
        var content = ContentPlan()
        content.resident = Set((0..<3).map { ExpertID(layer: $0, expert: 2 * $0) })
        let cell = try await TestCell(model, .inProcess, content: content)
        cell.join("a", cache: folder.path + "/a")
        cell.join("b", cache: folder.path + "/b")
        await cell.coordinator.wait { $0.members.count == 2 }
        cell.coordinator.replan()
        let coordinator = cell.coordinator
        await coordinator.wait { $0.isComplete && coordinator.residents.isComplete }
        #expect(coordinator.residents.count == 3)
        let experts = cell.experts()
        let isSame = try model.logits(Self.ids, experts) == local
        #expect(isSame)
        let costs = experts.takeCosts()
        #expect(costs.recomputedGroups == 0 && costs.devices.count == 2)
        await cell.close()
    }

    /// Other experts take their places while the old ones are still being copied.
    @Test func residentsChange() async throws {
        let model = try Model(ModelFile.open(Fixtures.demoModel))
        let local = try model.logits(Self.ids, LocalExperts(layers: model.experts))
        let cell = try await TestCell(model, .inProcess)
        try await cell.start(devices: ["a"])
        let (coordinator, experts) = (cell.coordinator, cell.experts())
        for first in 0..<4 {
            var content = ContentPlan()
            content.resident = Set(
                (0..<model.shape.layers).flatMap { layer in
                    (first..<first + 3).map { ExpertID(layer: layer, expert: $0) }
                })
            coordinator.adopt(content)
            let isSame = try model.logits(Self.ids, experts) == local
            #expect(isSame, "while experts from \(first) on are copied")
        }
        await coordinator.wait { $0.isComplete && coordinator.residents.isComplete }
        let isSame = try model.logits(Self.ids, experts) == local
        #expect(isSame)
        await cell.close()
    }
}
