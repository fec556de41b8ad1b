import SystemModel

/// Sends kept visits to the holders of their experts so that the last device finishes first
/// (methods, section 2: replicas first, drops last; ours).
///
/// Min-max assignment: the same walk as `DeadlineSelection` with nothing to drop.
struct ReplicaAssignment {
    private let problem: SelectionProblem
    private let kept: [[Int]]

    init(_ problem: SelectionProblem, kept: [[Int]]) {
        self.problem = problem
        self.kept = kept
    }

    func solve() -> Selection {
        let start = Selection(kept: kept, of: problem)
        guard problem.holders.contains(where: { $0.count > 1 }) else { return start }
        var parameters = SelectionParameters()
        parameters.epsilon = 0
        // A visit that is not to be dropped has importance, whatever its weight.
        parameters.importance = nil
        let fixed = SelectionProblem(
            perToken: problem.perToken, weights: problem.weights.map { $0.map { $0 + 1 } },
            devices: problem.devices, holders: problem.holders, ranked: kept)
        return DeadlineSelection(fixed, parameters).solve()
    }
}
