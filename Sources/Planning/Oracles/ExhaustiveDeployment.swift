/// Tries every home of every expert: the oracle of `DeploymentPlanner`, for tiny cases.
package enum ExhaustiveDeployment {
    /// - Complexity: O((devices + 2)^(layers · experts)).
    package static func plan(
        _ problem: DeploymentProblem
    ) -> (homes: [[ExpertHome]], objective: Double) {
        let places: [ExpertHome] =
            [.resident, .file] + problem.devices.indices.map { .device($0) }
        var best = (homes: problem.emptyHomes, objective: Double.infinity)
        var homes = problem.emptyHomes
        func visit(_ layer: Int, _ expert: Int) {
            guard layer < homes.count else {
                guard problem.bytesLeft(homes).allSatisfy({ $0 >= 0 }) else { return }
                let objective = problem.objective(problem.cost(homes))
                if objective < best.objective { best = (homes, objective) }
                return
            }
            guard expert < homes[layer].count else { return visit(layer + 1, 0) }
            for home in places {
                homes[layer][expert] = home
                visit(layer, expert + 1)
            }
        }
        visit(0, 0)
        return best
    }
}
