package import SystemModel

/// What an expert in no fixed memory costs where the base station keeps what tokens visited within
/// a window (ours; `ReuseTimes`): on average it takes part of its bytes, and a visit part of the
/// time of one from the file.
struct RecentMemory: Sendable, Equatable {
    /// `[layers][experts]`: seconds of a visit.
    let seconds: [[Double]]
    /// `[layers][experts]`: bytes of the base station's memory.
    let bytes: [[Int]]
    /// Bytes for what a step visits of a layer on top of that: what is read ahead in vain takes
    /// room, too; and a memory of a little less than a step visits, whose least recent leaves,
    /// would keep nothing.
    let reserve: Int

    init(_ problem: DeploymentProblem, window: Int) {
        let far = max(0, problem.fileSeconds - problem.residentSeconds)
        seconds = problem.reuse.map { layer in
            layer.map { problem.residentSeconds + far * $0.missed[window] }
        }
        bytes = zip(problem.reuse, problem.shape.expertBytes).map { layer, bytes in
            layer.map { Self.bytes(bytes, $0, window) }
        }
        reserve = Self.reserve(problem)
    }

    /// What experts in no fixed memory take together under a window, and the reserve.
    ///
    /// - Complexity: O(layers · experts).
    static func bytes(_ problem: DeploymentProblem, _ homes: [[ExpertHome]], window: Int) -> Int {
        var sum = reserve(problem)
        for (layer, experts) in homes.enumerated() {
            for (expert, home) in experts.enumerated() where home == .file {
                let times = problem.reuse[layer][expert]
                sum += bytes(problem.shape.expertBytes[layer], times, window)
            }
        }
        return sum
    }

    private static func bytes(_ bytes: Int, _ times: ReuseTimes, _ window: Int) -> Int {
        Int((Double(bytes) * times.kept[window]).rounded(.up))
    }

    private static func reserve(_ problem: DeploymentProblem) -> Int {
        min(problem.shape.experts, problem.shape.expertsPerToken * problem.rowsPerStep)
            * (problem.shape.expertBytes.max() ?? 0)
    }
}

extension DeploymentProblem {
    /// Steps of more rows leave what is kept alone: a prompt visits everything once.
    package static let mostRowsKept = 16

    /// The same problem where what was visited within a window is kept, or nothing is.
    ///
    /// - Parameter window: of `ReuseTimes.windows`; nil: no memory is kept for it.
    func keeping(_ window: Int?) -> DeploymentProblem {
        var problem = self
        problem.recent = window.map { RecentMemory(self, window: $0) }
        problem.reuse = []
        return problem
    }

    /// The longest window that the memory beside what is held for good allows; nil: none.
    func window(_ homes: [[ExpertHome]]) -> Int? {
        guard keepsRecent else { return nil }
        let left = bytesHeldByNone(homes)
        return ReuseTimes.windows.indices.last {
            RecentMemory.bytes(self, homes, window: $0) <= left
        }
    }

    /// Whether there may be memory for what steps visited last.
    var keepsRecent: Bool { !reuse.isEmpty && rowsPerStep <= Self.mostRowsKept }

    /// Bytes of the base station's memory for what tokens visited last: what holds nothing for
    /// good, if it is enough for anything.
    package func recentBytes(_ homes: [[ExpertHome]]) -> Int {
        window(homes) == nil ? 0 : bytesHeldByNone(homes)
    }

    private func bytesHeldByNone(_ homes: [[ExpertHome]]) -> Int {
        zip(homes, shape.expertBytes).reduce(residentBytes) { left, layer in
            left - layer.0.count { $0 == .resident } * layer.1
        }
    }

    /// What reuse would be if steps did not depend on each other, by the recorded sets.
    package var independentReuse: [[ReuseTimes]] {
        shape.expertBytes.indices.map { layer in
            shape.expertBytes[layer] > 0
                ? heat(layer).map { ReuseTimes(independent: $0) } : []
        }
    }
}
