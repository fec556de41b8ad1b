import SystemModel

/// How experts are selected (methods, section 2). Guide: docs/Algorithms/ExpertSelection.md
package enum SelectionPolicy: String, Sendable, CaseIterable {
    /// The model's own choice.
    case topk
    /// The best expert only.
    case top1
    /// Algorithm 1 of WDMoE: cosine threshold.
    case wdmoe
    /// Algorithm 2, the testbed policy: relieve the slowest device.
    case testbed
    /// Baseline: drops at random.
    case random
    /// Baseline: of the top-K only the expert on the fastest device.
    case bestChannel = "best-channel"
    /// Baseline, blind to the channel: drops experts of small weight.
    case lowShare = "low-share"
    /// Ours: the earliest deadline that a budget of importance allows.
    case deadline
    /// Ours: drops what is worth least per second of airtime.
    case priced

    /// Selects experts for one layer.
    ///
    /// - Complexity: O(tokens · experts) for all but `wdmoe` (times its trials), `testbed` and
    ///   `deadline` (times the drops).
    package func select(
        _ problem: SelectionProblem, _ parameters: SelectionParameters
    ) -> Selection {
        switch self {
        case .topk: Selection(kept: problem.ranked, of: problem)
        case .top1: Selection(kept: problem.ranked.map { Array($0.prefix(1)) }, of: problem)
        case .wdmoe: CosineThreshold(parameters).select(problem)
        case .testbed: BottleneckRelief(maxWeight: parameters.maxWeight).select(problem)
        case .random: Baselines.random(problem, parameters)
        case .bestChannel: Baselines.bestChannel(problem)
        case .lowShare: Baselines.lowShare(problem, threshold: parameters.threshold)
        case .deadline: DeadlineSelection(problem, parameters).solve()
        case .priced: PricedSelection(problem, parameters).solve()
        }
    }
}

/// What policies can be told. A policy looks only at its own.
package struct SelectionParameters: Sendable, Equatable {
    /// Algorithm 1: first threshold of the cosine. It sets the operating point.
    package var alpha = 0.5
    /// Algorithm 1: the gain in weight-to-latency ratio that is enough.
    package var gamma = 1.01
    /// Algorithm 1: how much the threshold rises per trial.
    package var thetaStep = 0.1
    /// Algorithm 1: the last threshold.
    package var thetaMax = 1.0
    /// Factors of a pair's weight, `[tokens][experts]`, or one row for all tokens (the experts'
    /// mean output norms from calibration); nil for 1.
    package var importance: [[Double]]?
    /// Deadline and priced: the share of importance that may be dropped, mean over tokens.
    package var epsilon = 0.05
    /// Testbed: a visit of at least this weight is never dropped.
    package var maxWeight = 0.3
    /// Low share: experts below this multiple of the token's best weight are dropped.
    /// Random: the probability that an expert other than the best is dropped.
    package var threshold = 0.3
    /// Random: replays the drops.
    package var seed: UInt64 = 0

    package init() {}

    /// The importance of each top-K visit of a token, best first, as a share of the token's whole
    /// importance without factors: `weight / Σ top-K weights · factor`.
    func importances(_ problem: SelectionProblem, token: Int) -> [Double] {
        let shares = problem.shares(token)
        guard let importance else { return shares }
        let factors = importance.count == 1 ? importance[0] : importance[token]
        return zip(problem.ranked[token], shares).map { factors[$0] * $1 }
    }
}

/// Policies that others are compared with.
enum Baselines {
    /// Every expert but a token's best is dropped with probability `threshold`.
    static func random(
        _ problem: SelectionProblem, _ parameters: SelectionParameters
    ) -> Selection {
        var generator = SeededGenerator(seed: parameters.seed)
        let kept = problem.ranked.map { experts in
            experts.prefix(1)
                + experts.dropFirst().filter { _ in generator.uniform() >= parameters.threshold }
        }
        return Selection(kept: kept.map { Array($0) }, of: problem)
    }

    /// Of the top-K the expert whose device is fastest; of equal ones the better.
    static func bestChannel(_ problem: SelectionProblem) -> Selection {
        let kept = problem.ranked.map { experts -> [Int] in
            var best = experts[0]
            for expert in experts.dropFirst()
            where problem.tokenSeconds(expert) < problem.tokenSeconds(best) {
                best = expert
            }
            return [best]
        }
        return Selection(kept: kept, of: problem)
    }

    /// Experts of less than `threshold` times the best expert's weight are dropped.
    static func lowShare(_ problem: SelectionProblem, threshold: Double) -> Selection {
        let kept = zip(problem.weights, problem.ranked).map { row, experts -> [Int] in
            let least = threshold * row[experts[0]]
            return experts.prefix(1) + experts.dropFirst().filter { row[$0] >= least }
        }
        return Selection(kept: kept, of: problem)
    }
}
