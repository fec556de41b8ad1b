import SystemModel

/// What was decided for one layer from the devices' measured speeds.
package struct BudgetedPlan: Sendable, Equatable {
    /// One token's part in it.
    package struct Row: Sendable, Equatable {
        /// The experts that it visits, best first; at least one.
        package var experts: [Int]
        /// Factors of their outputs; empty for the model's own weights of them, scaled to the same
        /// sum.
        package var shares: [Double]
        /// Experts of the model's choice that it does not visit.
        package var dropped: Int
        /// Experts that it visits in their place.
        package var substituted: Int
        /// The share of the model's choice that was dropped, by weight, 0...1.
        package var droppedMass: Double
        /// What it is estimated to lose, in the quality model's unit.
        package var loss: Double
    }

    /// `[tokens]`
    package var rows: [Row]
    /// `max_k T_k` as planned, s.
    package var seconds: Double
}

/// Keeps what a policy drops within what each token may lose, as a quality model estimates it
/// (ours).
///
/// Whatever the policy, a token that would lose more than its allowance gets its dropped experts
/// back, the best first; with an allowance of nothing it gets all of them. Where the model is
/// calibrated, a dropped expert may be replaced by one of the next best on a device that has time
/// to spare, and kept experts are weighed by least squares.
struct QualityBudget {
    /// A substitute is looked for among this many best experts beyond the model's choice.
    private static let spareExperts = 2

    private let problem: SelectionProblem
    private let quality: QualityModel
    private let layer: Int
    /// What each token may lose, `[tokens]`.
    private let allowances: [Double]
    private let options: PricedBandwidth.Options

    init(
        _ problem: SelectionProblem, quality: QualityModel, layer: Int, allowances: [Double],
        options: PricedBandwidth.Options
    ) {
        precondition(allowances.count == problem.weights.count, "one allowance per token")
        self.problem = problem
        self.quality = quality
        self.layer = layer
        self.allowances = allowances
        self.options = options
    }

    /// Parameters under which a policy's budget of importance is the allowance: a visit's
    /// importance is what dropping it alone loses, and what a token may not lose has no price.
    func parameters(_ parameters: SelectionParameters) -> SelectionParameters {
        var budgeted = parameters
        budgeted.epsilon = allowances.reduce(0, +) / Double(max(1, allowances.count))
        budgeted.importance = problem.ranked.indices.map { token in
            let shares = problem.shares(token)
            var factors = [Double](repeating: 0, count: problem.holders.count)
            for (place, expert) in problem.ranked[token].enumerated() {
                let kept = problem.ranked[token].filter { $0 != expert }
                let loss = kept.isEmpty ? .infinity : row(token, kept: kept).loss
                // A weight that is almost nothing must not make the factor infinite.
                factors[expert] =
                    loss > allowances[token] ? .infinity : loss / max(shares[place], 1e-12)
            }
            return factors
        }
        return budgeted
    }

    /// The policy's selection within the budget.
    func plan(_ selection: Selection) -> BudgetedPlan {
        var rows = selection.kept.indices.map { row($0, kept: selection.kept[$0]) }
        if options.substitutes, quality.isCalibrated { substitute(&rows) }
        for token in rows.indices { restore(token, &rows[token]) }
        let assigned = ReplicaAssignment(problem, kept: rows.map(\.experts)).solve()
        return BudgetedPlan(rows: rows, seconds: problem.seconds(assigned))
    }

    /// A token that visits `kept`.
    private func row(_ token: Int, kept: [Int]) -> BudgetedPlan.Row {
        let ranked = problem.ranked[token]
        guard kept != ranked else {
            return BudgetedPlan.Row(
                experts: ranked, shares: [], dropped: 0, substituted: 0, droppedMass: 0, loss: 0)
        }
        let own = Array(zip(ranked, problem.shares(token)))
        var shares: [Double] = []
        if options.compensates, quality.isCalibrated {
            shares = quality.compensated(layer: layer, own: own, kept: kept)
        }
        let used = shares.isEmpty ? scaled(token, kept) : shares
        let dropped = own.filter { !kept.contains($0.0) }
        return BudgetedPlan.Row(
            experts: kept, shares: shares, dropped: dropped.count,
            substituted: kept.count { !ranked.contains($0) },
            droppedMass: dropped.reduce(0) { $0 + $1.1 },
            loss: quality.loss(layer: layer, own: own, used: Array(zip(kept, used))))
    }

    private func scaled(_ token: Int, _ kept: [Int]) -> [Double] {
        let weights = kept.map { problem.weights[token][$0] }
        let sum = weights.reduce(0, +)
        return weights.map { sum > 0 ? $0 / sum : 1 / Double(kept.count) }
    }

    /// Gives a token's dropped experts back, best first, until it loses no more than it may.
    private func restore(_ token: Int, _ row: inout BudgetedPlan.Row) {
        let allowance = allowances[token]
        guard row.dropped > 0, row.loss > allowance || allowance <= 0 else { return }
        let ranked = problem.ranked[token]
        var kept = row.experts.filter(ranked.contains)
        while true {
            guard let next = ranked.first(where: { !kept.contains($0) }) else { break }
            kept = ranked.filter { kept.contains($0) || $0 == next }
            row = self.row(token, kept: kept)
            if allowance > 0, row.loss <= allowance { break }
        }
    }

    /// Replaces dropped experts where a device that would wait anyway holds one that loses less.
    private func substitute(_ rows: inout [BudgetedPlan.Row]) {
        let assigned = ReplicaAssignment(problem, kept: rows.map(\.experts)).solve()
        var tokens = assigned.tokens(devices: problem.devices.count)
        let deadline = problem.seconds(assigned)
        for token in rows.indices where rows[token].dropped > 0 {
            var best: (row: BudgetedPlan.Row, device: Int)?
            for spare in spares(token) {
                guard
                    let device = problem.holders[spare].min(by: {
                        time($0, tokens[$0] + 1) < time($1, tokens[$1] + 1)
                    }), time(device, tokens[device] + 1) <= deadline
                else { continue }
                let changed = row(token, kept: rows[token].experts + [spare])
                guard changed.loss < best?.row.loss ?? rows[token].loss else { continue }
                best = (changed, device)
            }
            guard let best else { continue }
            rows[token] = best.row
            tokens[best.device] += 1
        }
    }

    /// The best few experts beyond the model's choice.
    private func spares(_ token: Int) -> [Int] {
        let row = problem.weights[token]
        let ranked = problem.ranked[token]
        let rest = row.indices.filter { !ranked.contains($0) }
            .sorted { (-row[$0], $0) < (-row[$1], $1) }
        return Array(rest.prefix(Self.spareExperts))
    }

    private func time(_ device: Int, _ tokens: Int) -> Double {
        problem.devices[device].seconds(tokens: tokens).value
    }
}
