import SystemModel

/// Algorithm 1 of WDMoE (arXiv 2405.03131; steps as in methods, section 2): selection by the cosine
/// between gate weights and latencies.
///
/// A token whose weights point elsewhere than the latencies (a small cosine) prefers experts on
/// fast devices; it can lose its least expert. The threshold θ rises until the weight-to-latency
/// ratio has grown by γ. Queueing is ignored, as in the paper.
struct CosineThreshold {
    private let parameters: SelectionParameters

    init(_ parameters: SelectionParameters) {
        self.parameters = parameters
    }

    /// - Complexity: O(trials · tokens · experts).
    func select(_ problem: SelectionProblem) -> Selection {
        let start = Selection(kept: problem.ranked, of: problem)
        let ratio = problem.weightLatencyRatio(start)
        let latencies = problem.holders.indices.map { problem.tokenSeconds($0) }
        let cosines = problem.weights.map { Self.cosine($0, latencies) }
        var trial = 0
        while true {
            // A product, not a sum of steps, so that rounding does not add up.
            let theta = min(
                parameters.alpha + Double(trial) * parameters.thetaStep, parameters.thetaMax)
            let selection = dropping(problem, cosines, theta)
            let gained = problem.weightLatencyRatio(selection) > parameters.gamma * ratio
            if gained || theta >= parameters.thetaMax { return selection }
            trial += 1
        }
    }

    /// The start selection without the least expert of every token at or under θ.
    private func dropping(
        _ problem: SelectionProblem, _ cosines: [Double], _ theta: Double
    ) -> Selection {
        let kept = zip(problem.ranked, cosines).map { experts, cosine in
            cosine <= theta && experts.count > 1 ? experts.dropLast() : experts
        }
        return Selection(kept: kept, of: problem)
    }

    static func cosine(_ left: [Double], _ right: [Double]) -> Double {
        let product = zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
        let norms = (left.reduce(0) { $0 + $1 * $1 } * right.reduce(0) { $0 + $1 * $1 })
            .squareRoot()
        return norms > 0 ? product / norms : 0
    }
}
