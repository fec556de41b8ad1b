package import MoEModel
package import Planning
package import Scenarios
import Synchronization
package import SystemModel

/// What a run cost in the scenario's cell, summed over windows and layers.
package struct SimulatedCosts: Sendable, Equatable {
    package private(set) var layers = 0
    package private(set) var seconds = 0.0
    package private(set) var joules = 0.0
    package private(set) var droppedMass = 0.0
    package private(set) var expertsPerToken = 0.0
    private var aboveBound = 0.0

    package init() {}

    /// Mean time of a layer, s.
    package var layerSeconds: Double { mean(seconds) }
    /// Mean energy of a layer, J.
    package var layerJoules: Double { mean(joules) }
    /// Mean share of the top-K experts' weight that was dropped.
    package var meanDroppedMass: Double { mean(droppedMass) }
    /// Mean experts visited by a token in a layer.
    package var meanExpertsPerToken: Double { mean(expertsPerToken) }

    /// Mean time of a layer that a plan of the same estimated loss could save at most, s; 0 where
    /// the planner was not asked for bounds.
    package var secondsAboveBound: Double { mean(aboveBound) }

    private func mean(_ sum: Double) -> Double { layers > 0 ? sum / Double(layers) : 0 }

    mutating func add(_ plan: LayerPlan, joules: Double) {
        layers += 1
        seconds += plan.bandwidth.seconds
        self.joules += joules
        droppedMass += plan.droppedMass
        aboveBound += plan.secondsAboveBound ?? 0
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
        /// Virtual time, where devices move.
        var time = 0.0
        var costs = SimulatedCosts()
        var trace: [SimulatedLayer] = []
    }

    package let scenario: Scenario
    private let planner: LayerPlanner
    private let keepsTrace: Bool
    /// Of moving devices; nil: channels hold for a window.
    private let trajectories: [Trajectory]?
    private let reportInterval: Seconds
    private let state = Mutex(State())

    /// Windows of moving devices begin this far apart: their channels have little in common.
    private static let windowSeconds = 10.0

    /// - Parameters:
    ///   - keepsTrace: whether every layer is remembered; memory grows with the run.
    ///   - reportInterval: where devices move, the planner knows their channels as they were at the
    ///     last multiple of this; a layer takes what they are by then. 0: as they are.
    package init(
        _ scenario: Scenario, planner: LayerPlanner, keepsTrace: Bool = false,
        reportInterval: Seconds = .zero
    ) {
        self.scenario = scenario
        self.planner = planner
        self.keepsTrace = keepsTrace
        self.reportInterval = reportInterval
        trajectories =
            scenario.devices.contains { $0.motion.value > 0 }
            ? scenario.devices.indices.map { scenario.trajectory(device: $0) } : nil
    }

    /// What was spent so far.
    package var costs: SimulatedCosts { state.withLock { $0.costs } }
    /// Every layer so far, where it is kept.
    package var trace: [SimulatedLayer] { state.withLock { $0.trace } }

    /// Draws the channels of a window, or of a step of decoding; they hold until the next. Where
    /// devices move, the window begins at a time of its own.
    package func begin(window: Int) {
        state.withLock {
            $0.window = window
            $0.time = Self.windowSeconds * Double(window % scenario.radio.windows)
            $0.channels = scenario.channels(window: window)
        }
    }

    /// What the planner knows of the channels, and what they are.
    private func channels(at time: Double, drawn: [DeviceChannel])
        -> (known: [DeviceChannel], real: [DeviceChannel])
    {
        guard let trajectories else { return (drawn, drawn) }
        let interval = reportInterval.value
        let report = interval > 0 ? (time / interval).rounded(.down) * interval : time
        func channels(_ moment: Double) -> [DeviceChannel] {
            zip(drawn, trajectories).map { channel, trajectory in
                var channel = channel
                channel.link.gain = trajectory.gain(at: Seconds(moment))
                return channel
            }
        }
        let real = channels(time)
        return (interval > 0 ? channels(report) : real, real)
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
        let (window, time, drawn) = state.withLock { ($0.window, $0.time, $0.channels) }
        let (known, channels) = channels(at: time, drawn: drawn)
        let experts = weights.first?.count ?? 0
        let holders = (0..<experts).map { [$0 % channels.count] }
        var planner = planner
        // Random drops differ from layer to layer and replay with the seed.
        planner.parameters.seed &+= UInt64(window * 1_000 + layer)
        var plan = planner.plan(
            layer: layer, weights: weights, ranked: ranked, cell: problem(known),
            holders: holders)
        let tokens = plan.selection.tokens(devices: channels.count)
        if trajectories != nil {
            plan.bandwidth = problem(channels).with(tokens: tokens).plan(plan.bandwidth.hertz)
        }
        let joules = joules(plan, tokens, channels)
        state.withLock {
            $0.time += plan.bandwidth.seconds
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
