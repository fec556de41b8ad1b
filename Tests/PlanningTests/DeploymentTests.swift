import Planning
import SystemModel
import Testing

/// Experts dealt to the memories of a base station and its devices.
struct DeploymentTests {
    private static let shape = ModelShape(
        layers: 2, experts: 4, expertsPerToken: 2, hidden: 8, expertBytes: [10, 10])

    private static func problem(seed: UInt64) -> DeploymentProblem {
        var generator = SeededGenerator(seed: seed)
        let sets = (0..<2).map { _ in
            (0..<3).map { _ in
                let first = Int.random(in: 0..<4, using: &generator)
                let second = (first + Int.random(in: 1..<4, using: &generator)) % 4
                return RoutedSet(
                    experts: [first, second].sorted(),
                    count: Int.random(in: 1..<10, using: &generator))
            }
        }
        let devices = ["a", "b"].map { name in
            DeploymentProblem.Device(
                name: name, memoryBytes: 10 * Int.random(in: 0...4, using: &generator),
                messageSeconds: Double.random(in: 0.001...0.005, using: &generator),
                visitSeconds: Double.random(in: 0.0001...0.002, using: &generator))
        }
        return DeploymentProblem(
            shape: shape, sets: sets, devices: devices,
            residentBytes: 10 * Int.random(in: 0...4, using: &generator), residentSeconds: 0.0002,
            fileSeconds: Double.random(in: 0.001...0.02, using: &generator),
            promptRows: Double(Int.random(in: 0...1, using: &generator)))
    }

    private static func bytes(_ homes: [[ExpertHome]]) -> [ExpertHome: Int] {
        homes.joined().reduce(into: [:]) { $0[$1, default: 0] += 10 }
    }

    /// Against every deployment there is: never better, seldom and never much worse.
    @Test func isCloseToTheBest() {
        var ratios: [Double] = []
        for seed in 0..<40 as Range<UInt64> {
            let problem = Self.problem(seed: seed)
            let best = ExhaustiveDeployment.plan(problem)
            let homes = DeploymentPlanner.plan(problem)
            let used = Self.bytes(homes)
            #expect(used[.resident, default: 0] <= problem.residentBytes, "seed \(seed)")
            for (number, device) in problem.devices.enumerated() {
                #expect(used[.device(number), default: 0] <= device.memoryBytes, "seed \(seed)")
            }
            let cost = problem.cost(homes)
            let objective = cost.secondsPerToken + problem.promptRows * cost.secondsPerPromptRow
            let least = problem.cost(best.homes)
            let bound = least.secondsPerToken + problem.promptRows * least.secondsPerPromptRow
            #expect(objective >= bound * (1 - 1e-3), "seed \(seed)")
            #expect(objective <= bound * 1.1, "seed \(seed)")
            ratios.append(objective / bound)
        }
        #expect(ratios.reduce(0, +) / Double(ratios.count) <= 1.01, "\(ratios)")
    }

    /// Experts that are visited together share a device, so that fewer frames go out.
    @Test func thoseVisitedTogetherAreTogether() {
        let sets = [[RoutedSet(experts: [0, 3], count: 1), RoutedSet(experts: [1, 2], count: 1)]]
        let shape = ModelShape(
            layers: 1, experts: 4, expertsPerToken: 2, hidden: 8, expertBytes: [10])
        let devices = ["a", "b"].map {
            DeploymentProblem.Device(
                name: $0, memoryBytes: 20, messageSeconds: 0.003, visitSeconds: 1e-9)
        }
        let problem = DeploymentProblem(
            shape: shape, sets: sets, devices: devices, residentBytes: 0, residentSeconds: 1e-4,
            fileSeconds: 1, promptRows: 0)
        let homes = DeploymentPlanner.plan(problem)[0]
        #expect(homes[0] == homes[3])
        #expect(homes[1] == homes[2])
        #expect(problem.cost([homes]).framesPerToken == 1)
    }
}
