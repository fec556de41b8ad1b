package import MoEModel
package import Planning
package import Scenarios
import Synchronization
import SystemModel

/// What a run cost in the scenario's cell, summed over windows and layers.
package struct SimulatedCosts: Sendable, Equatable {
    package private(set) var layers = 0
    package private(set) var seconds = 0.0
    package private(set) var joules = 0.0
    package private(set) var droppedMass = 0.0
    package private(set) var expertsPerToken = 0.0

    package init() {}

    /// Mean time of a layer, s.
    package var layerSeconds: Double { mean(seconds) }
    /// Mean energy of a layer, J.
    package var layerJoules: Double { mean(joules) }
    /// Mean share of the top-K experts' weight that was dropped.
    package var meanDroppedMass: Double { mean(droppedMass) }
    /// Mean experts visited by a token in a layer.
    package var meanExpertsPerToken: Double { mean(expertsPerToken) }

    private func mean(_ sum: Double) -> Double { layers > 0 ? sum / Double(layers) : 0 }

    mutating func add(_ plan: LayerPlan, joules: Double) {
        layers += 1
        seconds += plan.bandwidth.seconds
        self.joules += joules
        droppedMass += plan.droppedMass
        let kept = plan.selection.kept
        expertsPerToken += Double(kept.reduce(0) { $0 + $1.count }) / Double(kept.count)
    }
}

/// One layer of one window, for a trace.
package struct SimulatedLayer: Sendable, Equatable {
    package let window: Int
    package let layer: Int
    /// `[devices]`
    package let tokens: [Int]
    package let plan: BandwidthPlan
}

/// The scenario's cell on a virtual clock: plans every layer as the model reaches it and adds up
/// what it would have taken. Nothing sleeps and nothing is measured by a clock.
package final class SimulatedCell: Sendable {
    private struct State {
        var window = 0
        var channels: [DeviceChannel] = []
        var costs = SimulatedCosts()
        var trace: [SimulatedLayer] = []
    }

    package let scenario: Scenario
    private let planner: LayerPlanner
    private let keepsTrace: Bool
    private let state = Mutex(State())

    /// - Parameter keepsTrace: whether every layer is remembered; memory grows with the run.
    package init(_ scenario: Scenario, planner: LayerPlanner, keepsTrace: Bool = false) {
        self.scenario = scenario
        self.planner = planner
        self.keepsTrace = keepsTrace
    }

    /// What was spent so far.
    package var costs: SimulatedCosts { state.withLock { $0.costs } }
    /// Every layer so far, where it is kept.
    package var trace: [SimulatedLayer] { state.withLock { $0.trace } }

    /// Draws the channels of a window; they hold until the next.
    package func begin(window: Int) {
        state.withLock {
            $0.window = window
            $0.channels = scenario.channels(window: window)
        }
    }

    /// A selector that plans with this cell.
    package func selector(_ configuration: ExpertsConfiguration) -> PlannedSelector {
        PlannedSelector(configuration) { [self] layer, weights, ranked in
            plan(layer: layer, weights: weights, ranked: ranked)
        }
    }

    private func plan(
        layer: Int, weights: [[Double]], ranked: [[Int]]
    ) -> PlannedSelector.Choice {
        let (window, channels) = state.withLock { ($0.window, $0.channels) }
        let experts = weights.first?.count ?? 0
        let holders = (0..<experts).map { [$0 % channels.count] }
        var planner = planner
        // Random drops differ from layer to layer and replay with the seed.
        planner.parameters.seed &+= UInt64(window * 1_000 + layer)
        let plan = planner.plan(
            layer: layer, weights: weights, ranked: ranked, cell: problem(channels),
            holders: holders)
        let tokens = plan.selection.tokens(devices: channels.count)
        let joules = joules(plan, tokens, channels)
        state.withLock {
            $0.costs.add(plan, joules: joules)
            guard keepsTrace else { return }
            $0.trace.append(
                SimulatedLayer(window: window, layer: layer, tokens: tokens, plan: plan.bandwidth))
        }
        return PlannedSelector.Choice(experts: plan.selection.kept, shares: plan.shares)
    }

    private func problem(_ channels: [DeviceChannel]) -> BandwidthProblem {
        let workload = scenario.shape.workload
        return BandwidthProblem(
            total: scenario.radio.total, noise: scenario.radio.noise,
            devices: channels.map { channel in
                BandwidthDevice(
                    tokens: 0, bitsDown: workload.activation, bitsUp: workload.activation,
                    link: channel.link, compute: workload.compute / channel.speed,
                    message: scenario.message)
            })
    }

    private func joules(
        _ plan: LayerPlan, _ tokens: [Int], _ channels: [DeviceChannel]
    ) -> Double {
        let workload = scenario.shape.workload
        let rate = ShannonRate(noise: NoiseDensity(scenario.radio.noise))
        return channels.indices.reduce(0) { sum, device in
            let channel = channels[device]
            let air = channel.link.airtime(
                down: workload.activation, up: workload.activation,
                bandwidth: Hertz(plan.bandwidth.hertz[device]), rate: rate)
            return sum
                + scenario.energy.joules(
                    tokens: tokens[device], link: channel.link, airtime: air,
                    computing: workload.compute / channel.speed,
                    layer: Seconds(plan.bandwidth.seconds)
                ).value
        }
    }
}
