import Coordinator
import MoEModel
import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing
import Wire

/// Experts copied into packed memory, on devices and at the base station, compute the same bits.
@Suite(.timeLimit(.minutes(5))) struct PackedExpertsTests {
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

    /// Experts that no device has come and go in a little memory, read ahead or not: the same bits,
    /// and the memory is used.
    @Test func recentExpertsChangeNoBit() async throws {
        let model = try Model(ModelFile.open(Fixtures.demoModel))
        let cell = try await TestCell(model, .inProcess)
        let bytes = model.shape.expertBytes[0]
        try await cell.start(devices: ["a"], memoryBytes: 24 * bytes)
        let coordinator = cell.coordinator
        let experts = cell.experts()
        let ahead = PrefetchingExperts(
            experts, transformer: model.transformer, selector: model.selector, fetcher: experts)
        let local = LocalExperts(layers: model.experts)
        var read: [Int] = []
        for remembered in [0, 1, 5, 30] {
            var content = coordinator.membership.content
            content.recentBytes = remembered * bytes
            coordinator.adopt(content)
            _ = ahead.takeCosts()
            for ids in [Self.ids, Self.ids.reversed(), Self.ids] {
                let isSame = try model.logits(ids, ahead) == model.logits(ids, local)
                #expect(isSame, "\(remembered) experts")
            }
            let costs = ahead.takeCosts()
            read.append(costs.fileVisits)
            #expect(costs.hosts.joined().contains("a"), "looking ahead loses nothing of the costs")
            #expect((costs.predictedPairs > 0) == (remembered > 0))
        }
        // All 24 that no device has are read once at most, where there is room for them.
        #expect(read[3] <= 24 && read[3] < read[0] && read[2] <= read[0], "\(read)")
        await cell.close()
    }

    /// A prompt visits many experts once and takes nothing of what a token comes back to, also
    /// where only some of its rows visit experts here.
    @Test func promptsLeaveRecentExperts() async throws {
        let model = try Model(ModelFile.open(Fixtures.demoModel))
        let cell = try await TestCell(model, .inProcess)
        let bytes = model.shape.expertBytes[0]
        try await cell.start(devices: ["a"], memoryBytes: 24 * bytes)
        var content = cell.coordinator.membership.content
        content.recentBytes = 12 * bytes
        cell.coordinator.adopt(content)
        let experts = cell.experts()
        func visitsToFile(_ ids: [Int]) throws -> Int {
            _ = try model.logits(ids, experts)
            return experts.takeCosts().fileVisits
        }
        let token = Array(Self.ids.prefix(1))
        #expect(try visitsToFile(token) > 0)
        #expect(try visitsToFile(token) == 0, "12 experts hold all that a token visits")
        // In one, two and four parts, which are tried one after another.
        for parts in 1...3 {
            #expect(try visitsToFile((0..<20).map { 37 * $0 + 5 * parts }) > 0)
            #expect(try visitsToFile(token) == 0, "after prompt \(parts)")
        }
        await cell.close()
    }
}
