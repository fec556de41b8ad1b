package import SystemModel

/// What was decided for one layer of one step.
package struct LayerPlan: Sendable, Equatable {
    package var selection: Selection
    /// `[tokens][kept]`: factors of the kept experts' outputs. Nil: their weights scaled to 1.
    package var shares: [[Double]]?
    package var bandwidth: BandwidthPlan
    /// The mean over tokens of the share of the top-K experts' weight that was dropped.
    package var droppedMass: Double
    /// How much faster a plan of the same estimated loss could be at most, s; nil: not asked.
    package var secondsAboveBound: Double?
}

/// Experts and spectrum of one layer, by any policy and any way to share.
///
/// `priced` decides both together. Any other policy sees the token times of an equal split; the
/// spectrum is then shared for what it selected. With `alternates`, selection and split take turns
/// until the time falls by less than 0.1 %, and the best pair stays (methods, section 2; joint).
package struct LayerPlanner: Sendable {
    package var policy: SelectionPolicy
    package var parameters: SelectionParameters
    package var method: BandwidthMethod
    package var alternates = false
    package var quality: QualityModel
    /// Exchange rate of the priced policy, s per unit of mean loss; nil: `parameters.epsilon`.
    package var secondsPerLoss: Double?
    package var options = PricedBandwidth.Options()
    /// Whether plans at an exchange rate say how far they may be from the best; slow.
    package var bounds = false

    private static let rounds = 20

    package init(
        policy: SelectionPolicy, parameters: SelectionParameters, method: BandwidthMethod,
        quality: QualityModel
    ) {
        self.policy = policy
        self.parameters = parameters
        self.method = method
        self.quality = quality
    }

    /// Plans one layer.
    ///
    /// - Parameters:
    ///   - weights: `[tokens][experts]`, the router's softmax.
    ///   - ranked: the model's own choice, best first.
    ///   - cell: the devices and their channels; its counts of tokens are not used.
    ///   - holders: `[experts]`, as in `SelectionProblem`.
    package func plan(
        layer: Int, weights: [[Double]], ranked: [[Int]], cell: BandwidthProblem,
        holders: [[Int]]
    ) -> LayerPlan {
        let equal = cell.total.value / Double(cell.devices.count)
        let problem = SelectionProblem(
            perToken: ranked.first?.count ?? 1, weights: weights,
            devices: cell.latencies(Array(repeating: equal, count: cell.devices.count)),
            holders: holders, ranked: ranked)
        if policy == .priced, method == .minmax {
            let priced = PricedBandwidth(
                problem, bandwidth: cell, quality: quality, layer: layer, options: options)
            guard let secondsPerLoss else { return priced.solve(epsilon: parameters.epsilon) }
            var plan = priced.solve(secondsPerLoss: secondsPerLoss)
            if bounds {
                plan.secondsAboveBound =
                    PricedBound(priced, secondsPerLoss: secondsPerLoss).gap(plan)
            }
            return plan
        }
        var best = select(problem, cell)
        guard alternates else { return best }
        var last = best
        for _ in 0..<Self.rounds {
            // A device without tokens would get them at the price of an equal share.
            let hertz = last.bandwidth.hertz.map { $0 > 0 ? $0 : equal }
            let next = select(
                SelectionProblem(
                    perToken: problem.perToken, weights: weights, devices: cell.latencies(hertz),
                    holders: holders, ranked: ranked), cell)
            let gain = 1 - next.bandwidth.seconds / last.bandwidth.seconds
            if next.bandwidth.seconds < best.bandwidth.seconds { best = next }
            last = next
            if gain < 1e-3 { break }
        }
        return best
    }

    /// Plans one layer from measured speeds, within what each token may lose by `quality`.
    ///
    /// The base station's way: nobody shares spectrum here, so `method` and `alternates` do not
    /// matter, and `parameters.epsilon` and `importance` follow from the allowances.
    ///
    /// - Parameters:
    ///   - devices: `o_k` and `t_k`, `[devices]`.
    ///   - allowances: `[tokens]`, in the quality model's unit; 0 keeps the model's own choice.
    package func plan(
        layer: Int, weights: [[Double]], ranked: [[Int]], devices: [DeviceLatency],
        holders: [[Int]], allowances: [Double]
    ) -> BudgetedPlan {
        let problem = SelectionProblem(
            perToken: ranked.first?.count ?? 1, weights: weights, devices: devices,
            holders: holders, ranked: ranked)
        let budget = QualityBudget(
            problem, quality: quality, layer: layer, allowances: allowances, options: options)
        return budget.plan(policy.select(problem, budget.parameters(parameters)))
    }

    private func select(_ problem: SelectionProblem, _ cell: BandwidthProblem) -> LayerPlan {
        let selection = policy.select(problem, parameters)
        let tokens = selection.tokens(devices: cell.devices.count)
        return LayerPlan(
            selection: selection, shares: nil,
            bandwidth: method.allocate(cell.with(tokens: tokens)),
            droppedMass: problem.droppedMass(selection))
    }
}

extension BandwidthProblem {
    /// `o_k` and `t_k` under a split, `[devices]`.
    fileprivate func latencies(_ hertz: [Double]) -> [DeviceLatency] {
        devices.indices.map { device in
            DeviceLatency(
                message: devices[device].message,
                token: Seconds(curve(device).tokenSeconds(hertz[device])))
        }
    }
}
