import SystemModel

/// How much of the base station's memory keeps what tokens visited last, and how much holds experts
/// for good (ours). A window says how long a visit is remembered; with it, what an expert in no
/// memory for good costs and takes is fixed (`RecentMemory`), and the search is as without.
extension DeploymentPlanner {
    /// Looks in the short searches for the window that promises most.
    private static let promiseWork = 15_000_000

    /// A search under one window and where it is.
    private typealias Search = (planner: Self, memories: [[Int]])

    /// The best of deployments that keep nothing of the last visits and of those under windows that
    /// promise something: for speed the one that promises most; for few frames the shortest, too,
    /// under which the base station computes most itself.
    ///
    /// - Parameters:
    ///   - slack: by which part it may be slower for fewer frames.
    ///   - begin: for a problem whose window is fixed, who searches and where that begins.
    static func best(
        _ problem: DeploymentProblem, _ slack: Double,
        _ begin: (DeploymentProblem) -> (planner: Self, starts: () -> [[[Int]]])
    ) -> [[ExpertHome]] {
        let (lasting, begins) = begin(problem.keeping(nil))
        let starts = begins()
        var searches: [Search] = [(lasting, lasting.fastest(starts))]
        let promises =
            problem.keepsRecent && problem.residentSeconds < problem.fileSeconds
            ? promises(problem, [searches[0].memories] + starts) { begin($0).planner } : []
        if let most = promises.min(by: { $0.seconds < $1.seconds }) {
            searches.append((most.planner, most.planner.fastest(most.starts)))
        }
        let times = searches.map { $0.planner.seconds($0.memories) }
        let limit = (times.min() ?? 0) * (1 + slack)
        searches = zip(searches, times).filter { $0.1 <= limit }.map(\.0)
        if slack > 0 {
            if let shortest = promises.first(where: { $0.seconds <= limit }) {
                searches.append((shortest.planner, shortest.starts[0]))
            }
            searches = searches.map { ($0.planner, $0.planner.frugal($0.memories, within: limit)) }
        }
        return searches.map { $0.planner.homes($0.planner.filled($0.memories)) }
            .map { (homes: $0, cost: problem.cost($0)) }
            .min { isBetter($0.cost, $1.cost, problem, frugal: slack > 0) }?.homes
            ?? problem.emptyHomes
    }

    private static func isBetter(
        _ one: DeploymentCost, _ two: DeploymentCost, _ problem: DeploymentProblem, frugal: Bool
    ) -> Bool {
        frugal && one.framesPerToken != two.framesPerToken
            ? one.framesPerToken < two.framesPerToken : problem.seconds(one) < problem.seconds(two)
    }

    /// What a short search under each window promises, the shortest window first.
    ///
    /// - Parameter starts: of the search that keeps nothing, its end first.
    /// - Returns: where further searches may begin, the best first; nothing for windows under which
    ///   no start fits.
    private static func promises(
        _ problem: DeploymentProblem, _ starts: [[[Int]]],
        _ planner: (DeploymentProblem) -> Self
    ) -> [(planner: Self, starts: [[[Int]]], seconds: Double)] {
        ReuseTimes.windows.indices.compactMap { window in
            let planner = planner(problem.keeping(window))
            guard !planner.isCancelled() else { return nil }
            let fitting = starts.compactMap(planner.fitted)
            return planner.promise(fitting).map {
                (planner, [$0.memories] + fitting, planner.seconds($0.memories))
            }
        }
    }

    /// The best that a short search finds; nil without a start.
    private func promise(_ starts: [[[Int]]]) -> End? {
        let work = Self.promiseWork / ReuseTimes.windows.count / max(1, starts.count)
        return (self.work > 0 ? starts : Array(starts.prefix(1)))
            .map { descended($0, work: work, prices(0)) }
            .min { $0.objective < $1.objective }
    }

    /// Of a step.
    private func seconds(_ memories: [[Int]]) -> Double {
        problem.seconds(problem.stepCost(homes(memories)))
    }

    /// A start with the coldest experts of the base station's memory out of it until what tokens
    /// visited last has its room; nil if there is not enough.
    func fitted(_ memories: [[Int]]) -> [[Int]]? {
        var memories = memories
        var left = problem.bytesLeft(memories)[0]
        let file = problem.devices.count + 1
        for (layer, expert, _) in inMemory(0, memories).reversed() where left < 0 {
            left += problem.shape.expertBytes[layer] - problem.recentBytes(layer, expert)
            memories[layer][expert] = file
        }
        return left < 0 ? nil : memories
    }
}
