import SystemModel

/// Tries everything: the slow twin of `DeadlineSelection`, for a handful of tokens.
///
/// - Complexity: O((subsets · holders)^tokens).
package struct ExhaustiveSelection {
    private let problem: SelectionProblem
    private let importances: [[Double]]
    private let budget: Double
    private var best: (seconds: Double, dropped: Double, selection: Selection)?

    package init(_ problem: SelectionProblem, _ parameters: SelectionParameters) {
        self.problem = problem
        importances = problem.ranked.indices.map { parameters.importances(problem, token: $0) }
        budget = parameters.epsilon * Double(problem.weights.count) * (1 + 1e-12)
    }

    /// The least time within the budget and, of selections of that time, the least importance
    /// dropped.
    package consuming func solve() -> (seconds: Double, dropped: Double, selection: Selection) {
        explore(kept: [], device: [], dropped: 0)
        guard let best else { preconditionFailure("top-K itself is within every budget") }
        return best
    }

    private mutating func explore(kept: [[Int]], device: [[Int]], dropped: Double) {
        guard dropped <= budget else { return }
        let token = kept.count
        guard token < problem.ranked.count else {
            return judge(Selection(kept: kept, device: device), dropped)
        }
        let experts = problem.ranked[token]
        for subset in 1..<(1 << experts.count) {
            let chosen = experts.indices.filter { subset >> $0 & 1 == 1 }
            let lost = experts.indices.filter { subset >> $0 & 1 == 0 }
                .reduce(0) { $0 + importances[token][$1] }
            for devices in places(chosen.map { problem.holders[experts[$0]] }) {
                explore(
                    kept: kept + [chosen.map { experts[$0] }], device: device + [devices],
                    dropped: dropped + lost)
            }
        }
    }

    /// Every way to take one of each list.
    private func places(_ lists: [[Int]]) -> [[Int]] {
        lists.reduce([[]]) { partial, list in partial.flatMap { head in list.map { head + [$0] } } }
    }

    private mutating func judge(_ selection: Selection, _ dropped: Double) {
        let seconds = problem.seconds(selection)
        if let best, (seconds, dropped) >= (best.seconds, best.dropped) { return }
        best = (seconds, dropped, selection)
    }
}
