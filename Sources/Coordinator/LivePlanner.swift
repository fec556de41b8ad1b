package import MoEModel
package import Planning
import Synchronization
package import SystemModel

/// The planners at work at the base station: each layer is planned as the model reaches it, from
/// the measured speed of the devices that are there (methods, section 1), by the code that the
/// simulator runs.
///
/// A row of a step may lose at most the budget over all layers, as the quality model estimates it:
/// in each layer what its layers so far allow, less what it has lost already. Speeds are looked up
/// once a step, so a step is planned with one view of the cell; since they are measured, an answer
/// under a policy other than `topk` depends on them.
///
/// Belongs to the inference thread; a lock makes it safe to hand over.
package final class LivePlanner: Sendable {
    /// The devices as one step sees them: those in slots, then the base station.
    private struct View {
        var routes = Routes.none
        var devices: [DeviceLatency] = []
    }

    private struct State {
        var view = View()
        /// Of this step so far.
        var lastLayer = -1
        var rows: [CostRecord.Selection] = []
        var steps: UInt64 = 0
    }

    private let coordinator: Coordinator
    private let planner: LayerPlanner
    private let budget: Double
    /// By layer: how many layers with experts there are up to it.
    private let layersSoFar: [Int]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - planner: policy and quality model; losses in nats.
    ///   - budget: most estimated nats that a token may lose; 0 keeps the model's own choice.
    package init(
        coordinator: Coordinator, shape: ModelShape, planner: LayerPlanner, budget: Double
    ) {
        self.coordinator = coordinator
        self.planner = planner
        self.budget = budget
        var count = 0
        layersSoFar = shape.expertBytes.map { bytes in
            count += bytes > 0 ? 1 : 0
            return count
        }
    }

    /// The model's selector that plans with this cell.
    package func selector(_ configuration: ExpertsConfiguration) -> PlannedSelector {
        PlannedSelector(configuration) { [self] layer, weights, ranked in
            let plan = plan(layer, weights, ranked)
            return PlannedSelector.Choice(
                experts: plan.rows.map(\.experts), shares: plan.rows.map(\.shares))
        }
    }

    /// What was changed since the last call, by row of the step.
    func takeRows() -> [CostRecord.Selection] {
        state.withLock { state in
            defer { state.rows = [] }
            return state.rows
        }
    }

    private func plan(_ layer: Int, _ weights: [[Double]], _ ranked: [[Int]]) -> BudgetedPlan {
        state.withLock { state in
            begin(layer, rows: weights.count, &state)
            let experts = weights.first?.count ?? 0
            var planner = planner
            // Random drops differ from layer to layer and step to step.
            planner.parameters.seed &+= state.steps &* 1_000 &+ UInt64(layer)
            let plan = planner.plan(
                layer: layer, weights: weights, ranked: ranked, devices: state.view.devices,
                holders: (0..<experts).map { holders(layer, $0, state.view.routes) },
                allowances: state.rows.map { allowance(layer, spent: $0.lossNats) })
            for (index, row) in plan.rows.enumerated() {
                state.rows[index].add(
                    CostRecord.Selection(
                        dropped: row.dropped, substituted: row.substituted,
                        droppedMass: row.droppedMass, lossNats: row.loss))
            }
            return plan
        }
    }

    /// A step's first layer: looks at the cell anew.
    private func begin(_ layer: Int, rows: Int, _ state: inout State) {
        defer { state.lastLayer = layer }
        guard layer <= state.lastLayer || state.rows.count != rows else { return }
        state.steps += 1
        state.rows = Array(repeating: CostRecord.Selection(), count: rows)
        if let changed = coordinator.routes(after: state.view.routes.version) {
            state.view.routes = changed
        }
        let latencies = coordinator.latencies
        state.view.devices =
            state.view.routes.occupants.map { occupant in
                occupant.map { latencies.estimate($0.description).latency }
                    ?? DeviceLatency(message: .zero, token: Seconds(1))
            } + [latencies.baseStation.latency]
    }

    private func allowance(_ layer: Int, spent: Double) -> Double {
        let share = Double(layersSoFar[layer]) / Double(max(1, layersSoFar.last ?? 1))
        return max(0, budget * share - spent)
    }

    /// Who can compute the expert: devices, its own slot's first, else the base station.
    private func holders(_ layer: Int, _ expert: Int, _ routes: Routes) -> [Int] {
        let slots = routes.holders(layer: layer, expert: expert)
        return slots.isEmpty ? [routes.occupants.count] : slots
    }
}
