import SystemModel
import Testing

@testable import Planning

/// The deadline policy against exhaustive search.
struct DeadlineSelectionTests {
    /// Up to five tokens with three experts each, or eight with two; with and without replicas,
    /// messages, importance and budgets of every size. 3,000 cases, all compared.
    static let cases = 3_000

    @Test func equalsExhaustiveSearch() {
        for seed in 0..<Self.cases {
            var generator = SeededGenerator(seed: UInt64(seed))
            let (problem, parameters) = Self.random(using: &generator)
            let selection = SelectionPolicy.deadline.select(problem, parameters)
            let oracle = ExhaustiveSelection(problem, parameters).solve()
            #expect(problem.seconds(selection) == oracle.seconds, "seed \(seed)")
            let dropped = Self.dropped(selection, problem, parameters)
            #expect(abs(dropped - oracle.dropped) < 1e-9, "seed \(seed)")
            #expect(
                dropped <= parameters.epsilon * Double(problem.weights.count) + 1e-9,
                "seed \(seed)")
        }
    }

    @Test func noBudgetDropsNothing() {
        var generator = SeededGenerator(seed: 11)
        var (problem, parameters) = Self.random(using: &generator)
        parameters.epsilon = 0
        problem = SelectionProblem(
            perToken: problem.perToken, weights: problem.weights, devices: problem.devices)
        #expect(
            SelectionPolicy.deadline.select(problem, parameters)
                == SelectionPolicy.topk.select(problem, parameters), "seed 11")
    }

    private static func random(
        using generator: inout SeededGenerator
    ) -> (SelectionProblem, SelectionParameters) {
        let experts = 3 + Int(generator.next() % 2)
        let perToken = 1 + Int(generator.next() % 3)
        let replicated = perToken < 3 && generator.next() % 2 == 0
        let tokens = 1 + Int(generator.next() % (perToken == 3 ? 4 : replicated ? 4 : 6))
        let deviceCount = 2 + Int(generator.next() % 3)
        let messages = generator.next() % 2 == 0
        let devices = (0..<deviceCount).map { _ in
            DeviceLatency(
                message: Seconds(messages ? generator.uniform() : 0),
                token: Seconds(0.1 + generator.uniform()))
        }
        let holders = (0..<experts).map { _ -> [Int] in
            let first = Int(generator.next() % UInt64(deviceCount))
            let second = Int(generator.next() % UInt64(deviceCount))
            return replicated && second != first ? [first, second] : [first]
        }
        let problem = SelectionProblem(
            perToken: min(perToken, experts),
            weights: (0..<tokens).map { _ in softmaxRow(experts, &generator) },
            devices: devices, holders: holders)
        var parameters = SelectionParameters()
        parameters.epsilon = generator.uniform() * generator.uniform()
        if generator.next() % 2 == 0 {
            parameters.importance = [(0..<experts).map { _ in 0.2 + generator.uniform() }]
        }
        return (problem, parameters)
    }

    private static func softmaxRow(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
        let raw = (0..<count).map { _ in 0.01 + generator.uniform() }
        let sum = raw.reduce(0, +)
        return raw.map { $0 / sum }
    }

    private static func dropped(
        _ selection: Selection, _ problem: SelectionProblem, _ parameters: SelectionParameters
    ) -> Double {
        problem.ranked.indices.reduce(0) { sum, token in
            let importances = parameters.importances(problem, token: token)
            return zip(problem.ranked[token], importances).reduce(sum) {
                $0 + (selection.kept[token].contains($1.0) ? 0 : $1.1)
            }
        }
    }
}
