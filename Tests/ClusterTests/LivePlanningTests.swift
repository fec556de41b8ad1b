import Coordinator
import MoEModel
import Planning
import SystemModel
import Tensors
import TestSupport
import Testing

/// The planners at work over real devices in this process.
@Suite(.timeLimit(.minutes(5))) struct LivePlanningTests {
    private func planner(
        _ cell: TestCell, _ policy: SelectionPolicy, budget: Double
    ) -> LivePlanner {
        let shape = cell.model.shape
        return LivePlanner(
            coordinator: cell.coordinator, shape: shape,
            planner: LayerPlanner(
                policy: policy, parameters: SelectionParameters(), method: .minmax,
                quality: QualityModel(
                    uncalibratedLayers: shape.layers, experts: shape.experts,
                    unit: 1 / Double(shape.layers))),
            budget: budget)
    }

    private func run(
        _ cell: TestCell, _ policy: SelectionPolicy, budget: Double, _ ids: [Int]
    ) throws -> (logits: Matrix, cost: CostRecord) {
        let planner = planner(cell, policy, budget: budget)
        let configuration = try #require(cell.model.configuration.experts)
        let experts = cell.experts(planner: planner)
        var cache = KeyValuePool(cell.model.transformer).makeCache()
        let logits = try cell.model.transformer.forward(
            ids, cache: &cache, rows: .all, selector: planner.selector(configuration),
            experts: experts)
        return (logits, experts.takeCosts())
    }

    /// With nothing to lose, every policy is the model's own choice, bit for bit.
    @Test(arguments: ["mixtral", "qwen3_moe"])
    func withoutABudgetEveryPolicyIsTopK(_ name: String) async throws {
        let model = try tinyModel(name)
        let ids = try ExpectedModel(name).input_ids
        let cell = try await TestCell(model, .inProcess)
        try await cell.start(devices: ["a", "b"])
        let own = try model.logits(ids, cell.experts())
        for policy in SelectionPolicy.allCases {
            let result = try run(cell, policy, budget: 0, ids)
            #expect(result.logits == own, "\(name), \(policy)")
            #expect(result.cost.selection == CostRecord.Selection(), "\(policy)")
        }
        await cell.close()
    }

    /// With one, policies drop, tell what they dropped, and no row loses more than it may.
    @Test(arguments: [0.02, 0.2])
    func aBudgetIsKept(_ budget: Double) async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let cell = try await TestCell(model, .inProcess)
        try await cell.start(devices: ["a", "b"])
        for policy in [SelectionPolicy.top1, .lowShare, .deadline] {
            let cost = try run(cell, policy, budget: budget, ids).cost
            let selection = try #require(cost.selection)
            // What deadline drops depends on how fast this machine was.
            if policy != .deadline { #expect(selection.dropped > 0, "\(policy)") }
            let whole = ids.count * model.shape.layers * model.shape.expertsPerToken
            #expect(cost.pairs == whole - selection.dropped + selection.substituted)
            #expect(cost.rowSelections.count == ids.count)
            for row in cost.rowSelections {
                #expect(row.lossNats <= budget * (1 + 1e-9), "\(policy)")
            }
        }
        await cell.close()
    }

    /// Round trips become estimates, device by device, and the base station measures itself.
    @Test func roundTripsAreMeasured() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let cell = try await TestCell(model, .inProcess)
        try await cell.start(devices: ["a", "b"])
        let untouched = cell.coordinator.latencies.baseStation
        _ = try model.logits(ids, cell.experts())
        #expect(Set(cell.coordinator.latencies.devices.keys) == ["a", "b"])
        cell.cut("b")
        await cell.coordinator.wait { $0.members.count == 1 }
        _ = try model.logits(ids, cell.experts())
        #expect(cell.coordinator.latencies.baseStation != untouched)
        await cell.close()
    }

    /// Every layer that waited for devices tells what was foreseen and what it took.
    @Test func layersAreForeseen() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let cell = try await TestCell(model, .inProcess)
        try await cell.start(devices: ["a", "b"])
        var cache = KeyValuePool(model.transformer).makeCache()
        let experts = cell.experts()
        _ = try model.transformer.forward(
            ids, cache: &cache, rows: .all,
            selector: TopKSelector(try #require(model.configuration.experts)), experts: experts)
        let cost = experts.takeCosts()
        #expect(cost.layerTimes.count == cost.roundTrips)
        #expect(cost.layerTimes.allSatisfy { $0.predictedSeconds > 0 && $0.measuredSeconds > 0 })
        // The first layer is foreseen by what is believed of unknown devices, later ones are not.
        #expect(Set(cost.layerTimes.map(\.predictedSeconds)).count > 1)
        var sum = CostRecord()
        sum.add(cost)
        #expect(sum.layerTimes.isEmpty)
        sum.append(cost)
        #expect(sum.layerTimes == cost.layerTimes)
        await cell.close()
    }
}
