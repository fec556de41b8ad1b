import Foundation
import MoEModel
import ModelFiles
import Planning
import Scenarios
import SystemModel
import TestSupport
import Testing

@testable import Simulator

/// The shipped model in the reference cell, on a few short windows of random ids.
struct SimulationTests {
    static let seed: UInt64 = 9
    let model: Model
    let scenario: Scenario
    let windows: [[Int]]

    init() throws {
        model = try Model(ModelFile.open(Fixtures.demoModel))
        let path = Fixtures.root.appending(path: "Scenarios/reference.yaml")
        scenario = try Scenario(yaml: [UInt8](Data(contentsOf: path)), file: "reference.yaml")
        var generator = SeededGenerator(seed: Self.seed)
        windows = (0..<3).map { _ in (0..<40).map { _ in Int(generator.next() % 4_096) } }
    }

    func run(
        _ policy: SelectionPolicy, _ method: BandwidthMethod = .minmax,
        change: (inout LayerPlanner) -> Void = { _ in }
    ) throws -> Simulation.Result {
        var planner = LayerPlanner(
            policy: policy, parameters: SelectionParameters(), method: method,
            quality: QualityModel(uncalibratedLayers: 6, experts: 8))
        change(&planner)
        return try Simulation(model).run(
            windows, scenario: scenario, planner: planner, keepsTrace: true)
    }

    /// Top-K through the planner is the model's own choice.
    @Test func topKHasTheModelsOwnQuality() throws {
        var own = Perplexity()
        for ids in windows {
            var cache = KeyValuePool(model.transformer).makeCache()
            let logits = try model.transformer.forward(
                ids, cache: &cache, rows: .all, selector: model.selector,
                experts: LocalExperts(layers: model.experts))
            own.score(ids: ids, logits: logits, from: 1)
        }
        let result = try run(.topk)
        #expect(result.quality.mean == own.mean, "seed \(Self.seed)")
        #expect(result.costs.meanExpertsPerToken == 2)
        #expect(result.costs.meanDroppedMass == 0)
    }

    @Test func oneSeedOneTrace() throws {
        let first = try run(.priced)
        #expect(try run(.priced).trace == first.trace, "seed \(Self.seed)")
        var other = scenario
        other.radio.seed = 1
        let planner = LayerPlanner(
            policy: .priced, parameters: SelectionParameters(), method: .minmax,
            quality: QualityModel(uncalibratedLayers: 6, experts: 8))
        let changed = try Simulation(model).run(
            windows, scenario: other, planner: planner, keepsTrace: true)
        #expect(changed.trace != first.trace)
    }

    @Test func everyPolicyRuns() throws {
        let topk = try run(.topk)
        for policy in SelectionPolicy.allCases {
            let result = try run(policy)
            #expect(result.costs.layers == 18, "\(policy)")
            #expect(result.costs.layerSeconds <= topk.costs.layerSeconds * 1.001, "\(policy)")
            #expect((1...2).contains(result.costs.meanExpertsPerToken), "\(policy)")
            #expect(result.quality.mean.isFinite, "\(policy)")
        }
    }

    /// min-max < equal among active ≤ equal, for the same selection.
    @Test func betterSplitsAreFaster() throws {
        let seconds = try BandwidthMethod.allCases.map {
            try run(.topk, $0).costs.layerSeconds
        }
        let least = seconds.min() ?? 0
        #expect(try run(.topk, .minmax).costs.layerSeconds == least)
        let active = try run(.topk, .active).costs.layerSeconds
        #expect(active <= (try run(.topk, .equal).costs.layerSeconds))
    }

    /// Decoding is the same model: token by token, alone or side by side, to rounding.
    @Test(arguments: [1, 3])
    func decodingHasTheSameQuality(_ batch: Int) throws {
        let planner = LayerPlanner(
            policy: .topk, parameters: SelectionParameters(), method: .minmax,
            quality: QualityModel(uncalibratedLayers: 6, experts: 8))
        let whole = try run(.topk)
        let decoded = try Simulation(model).run(
            windows, scenario: scenario, planner: planner, step: .decode(batch: batch))
        #expect(abs(decoded.quality.mean - whole.quality.mean) < 1e-3, "seed \(Self.seed)")
        #expect(decoded.quality.tokens == whole.quality.tokens)
        #expect(decoded.costs.layers == 6 * 39 * 3 / batch)
        #expect(decoded.costs.layerSeconds < whole.costs.layerSeconds)
    }

    /// What the planner knows grows old where devices move: fresher reports are not slower.
    @Test func oldReportsCostTime() throws {
        var moving = scenario
        for device in moving.devices.indices {
            moving.devices[device].motion = MetresPerSecond(10)
        }
        let planner = LayerPlanner(
            policy: .topk, parameters: SelectionParameters(), method: .minmax,
            quality: QualityModel(uncalibratedLayers: 6, experts: 8))
        let seconds = try [0, 0.02, 1].map { interval in
            try Simulation(model).run(
                windows, scenario: moving, planner: planner, reportInterval: Seconds(interval)
            ).costs.layerSeconds
        }
        #expect(seconds[0] < seconds[1] && seconds[0] < seconds[2], "\(seconds)")
    }

    /// A higher price of quality buys more time and drops more.
    @Test func pricesTradeTimeForQuality() throws {
        let dear = try run(.priced) { $0.secondsPerLoss = 10 }
        let cheap = try run(.priced) { $0.secondsPerLoss = 0.001 }
        #expect(cheap.costs.layerSeconds < dear.costs.layerSeconds)
        #expect(cheap.costs.meanDroppedMass > dear.costs.meanDroppedMass)
    }
}
