import SystemModel

/// Algorithm 2, the testbed policy (methods, section 2; ours after the paper's description).
///
/// From measured `o_k` and `t_k` alone: the slowest device loses the visits that matter least to
/// their tokens, until the second slowest is the slowest; again and again until nothing improves.
struct BottleneckRelief {
    /// A visit of at least this weight stays.
    let maxWeight: Double

    /// - Complexity: O(tokens · log tokens) per round, one device relieved per round.
    func select(_ problem: SelectionProblem) -> Selection {
        var kept = problem.ranked
        while let next = relieved(kept, problem) { kept = next }
        return Selection(kept: kept, of: problem)
    }

    /// One round; nil where it drops nothing.
    private func relieved(_ kept: [[Int]], _ problem: SelectionProblem) -> [[Int]]? {
        let counts = Selection(kept: kept, of: problem).tokens(devices: problem.devices.count)
        let times = zip(problem.devices, counts).map { $0.seconds(tokens: $1).value }
        guard let slowest = times.indices.max(by: { times[$0] < times[$1] }) else { return nil }
        let second = times.indices.filter { $0 != slowest }.map { times[$0] }.max() ?? 0
        let visits = kept.indices.filter { token in
            guard kept[token].count > 1, let least = kept[token].last else { return false }
            return problem.holders[least][0] == slowest
                && problem.weights[token][least] < maxWeight
        }
        let ascending = visits.sorted {
            (weight(kept, $0, problem), $0) < (weight(kept, $1, problem), $1)
        }
        var result = kept
        var count = counts[slowest]
        for token in ascending
        where problem.devices[slowest].seconds(tokens: count).value > second {
            result[token].removeLast()
            count -= 1
        }
        return count < counts[slowest] ? result : nil
    }

    private func weight(_ kept: [[Int]], _ token: Int, _ problem: SelectionProblem) -> Double {
        kept[token].last.map { problem.weights[token][$0] } ?? 0
    }
}
