import SystemModel

/// Drops what is worth least per second: a visit stays iff its importance is at least λ × the time
/// its device needs for it, with the largest λ whose drops stay within the budget (methods, section
/// 2; ours).
///
/// Where spectrum can be moved between devices, the time of a visit is the extra spectrum it needs
/// (to first order, in the limit of many tokens), so one price λ couples selection and bandwidth;
/// `PricedBandwidth` has the exact form. Kept visits then go to the holders that finish first.
///
/// - Complexity: O(visits · log visits).
struct PricedSelection {
    private let problem: SelectionProblem
    private let parameters: SelectionParameters

    init(_ problem: SelectionProblem, _ parameters: SelectionParameters) {
        self.problem = problem
        self.parameters = parameters
    }

    func solve() -> Selection {
        var kept = problem.ranked
        var budget = parameters.epsilon * Double(problem.weights.count) * (1 + 1e-12)
        for visit in worthAscending() {
            guard visit.importance <= budget else { break }
            guard kept[visit.token].count > 1 else { continue }
            kept[visit.token].removeAll { $0 == visit.expert }
            budget -= visit.importance
        }
        return ReplicaAssignment(problem, kept: kept).solve()
    }

    /// All visits by importance per second; a λ is a place in this order.
    private func worthAscending() -> [(token: Int, expert: Int, importance: Double)] {
        let visits = problem.ranked.indices.flatMap { token in
            zip(problem.ranked[token], parameters.importances(problem, token: token)).map {
                (token: token, expert: $0, importance: $1, worth: $1 / seconds($0))
            }
        }
        return visits.sorted {
            ($0.worth, $0.token, $0.expert) < ($1.worth, $1.token, $1.expert)
        }.map { ($0.token, $0.expert, $0.importance) }
    }

    /// At the fastest holder.
    private func seconds(_ expert: Int) -> Double {
        problem.holders[expert].map { problem.devices[$0].token.value }.min() ?? .infinity
    }
}
