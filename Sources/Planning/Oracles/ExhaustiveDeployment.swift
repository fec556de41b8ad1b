/// Tries every home of every expert: the oracle of `DeploymentPlanner` and `DeploymentBound`, for
/// tiny cases.
package enum ExhaustiveDeployment {
    /// - Complexity: O((devices + 2)^(layers · experts)).
    package static func plan(
        _ problem: DeploymentProblem
    ) -> (homes: [[ExpertHome]], objective: Double) {
        var best = (homes: problem.emptyHomes, objective: Double.infinity)
        each(problem) { homes, cost in
            let objective = problem.objective(cost)
            if objective < best.objective { best = (homes, objective) }
        }
        return best
    }

    /// The least round trips and the least frames of deployments that take no longer than a limit.
    ///
    /// - Complexity: as `plan`.
    package static func leastTraffic(
        _ problem: DeploymentProblem, withinSeconds limit: Double
    ) -> (roundTrips: Double, frames: Double) {
        var least = (roundTrips: Double.infinity, frames: Double.infinity)
        each(problem) { _, cost in
            guard problem.seconds(cost) <= limit else { return }
            least = (
                min(least.roundTrips, cost.roundTripsPerToken),
                min(least.frames, cost.framesPerToken)
            )
        }
        return least
    }

    /// Every deployment that fits into the memories.
    private static func each(
        _ problem: DeploymentProblem, _ body: ([[ExpertHome]], DeploymentCost) -> Void
    ) {
        let places: [ExpertHome] =
            [.resident, .file] + problem.devices.indices.map { .device($0) }
        var homes = problem.emptyHomes
        func visit(_ layer: Int, _ expert: Int) {
            guard layer < homes.count else {
                guard problem.bytesLeft(homes).allSatisfy({ $0 >= 0 }) else { return }
                return body(homes, problem.cost(homes))
            }
            guard expert < homes[layer].count else { return visit(layer + 1, 0) }
            for home in places {
                homes[layer][expert] = home
                visit(layer, expert + 1)
            }
        }
        visit(0, 0)
    }
}
