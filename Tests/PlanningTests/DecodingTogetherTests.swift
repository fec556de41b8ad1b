import SystemModel
import Testing

@testable import Planning

/// Problems of sequences that are decoded together.
struct DecodingTogetherTests {
    private static func problem(
        sets: [[RoutedSet]], experts: Int, visited: Int, residentBytes: Int = 0, memory: Int = 0
    ) -> DeploymentProblem {
        DeploymentProblem(
            shape: ModelShape(
                layers: sets.count, experts: experts, expertsPerToken: visited, hidden: 8,
                expertBytes: Array(repeating: 10, count: sets.count)),
            sets: sets,
            devices: [
                .init(
                    name: "a", memoryBytes: memory, messageSeconds: 0.003, visitSeconds: 0.0003,
                    rowSeconds: 0.001)
            ],
            residentBytes: residentBytes, residentSeconds: 0.0001, fileSeconds: 0.01,
            promptRows: 0)
    }

    /// Two equally frequent experts: of steps of two tokens a quarter visits each alone, and half
    /// visits both.
    @Test func aStepVisitsWhatItsTokensDo() throws {
        let single = Self.problem(
            sets: [[RoutedSet(experts: [0], count: 2000), RoutedSet(experts: [1], count: 2000)]],
            experts: 2, visited: 1)
        let together = single.decodingTogether(2)
        #expect(together.rowsPerStep == 2 && together.devices[0].rowSeconds == 0.002)
        let sets = together.sets[0]
        #expect(sets.map(\.experts) == [[0], [0, 1], [1]])
        #expect(sets.reduce(0) { $0 + $1.count } == 2000, "every token once")
        for (set, share) in zip(sets, [0.25, 0.5, 0.25]) {
            #expect(abs(Double(set.count) / 2000 - share) < 0.04)
        }
        #expect(together.sets == single.decodingTogether(2).sets, "drawn the same every time")
        #expect(single.decodingTogether(1) == single)
    }

    /// Few recorded tokens are drawn again and again, dense layers stay empty.
    @Test func fewTokensMakeManySteps() {
        let sets = [
            [], [RoutedSet(experts: [0, 1], count: 1), RoutedSet(experts: [2, 3], count: 2)],
        ]
        let together = Self.problem(sets: sets, experts: 4, visited: 2).decodingTogether(8)
        #expect(together.sets[0].isEmpty)
        #expect(together.sets[1].reduce(0) { $0 + $1.count } >= 256)
    }

    /// A token's part of a step: of a whole layer at a device one frame with all rows.
    @Test func costsAreATokens() {
        let sets = [[RoutedSet(experts: [0], count: 1)]]
        let together = Self.problem(sets: sets, experts: 1, visited: 1, memory: 10)
            .decodingTogether(4)
        let cost = together.cost([[.device(0)]])
        let step = 0.003 + 4 * 0.001 + 0.0003 + DeploymentProblem.usualFrameSeconds
        #expect(abs(cost.secondsPerToken - step / 4) < 1e-12)
        #expect(cost.roundTripsPerToken == 0.25 && cost.framesPerToken == 0.25)
        let bound = DeploymentBound(together)
        #expect(bound.seconds <= cost.secondsPerToken && bound.seconds > 0.9 * step / 4)
        #expect(bound.roundTripsAtBound == 0.25)
    }

    /// The base station has memory for one of two layers. Alone, a token gains most by the hottest
    /// experts of both; many together visit nearly all of a layer, so a whole one saves more.
    @Test func manyTogetherWantWholeLayers() {
        var generator = SeededGenerator(seed: 5)
        let sets = (0..<2).map { _ -> [RoutedSet] in
            (0..<400).map { _ in
                // Half of all visits go to the first two experts.
                let draw = generator.uniform()
                return RoutedSet(
                    experts: [draw < 0.5 ? Int(draw * 4) : 2 + Int((draw - 0.5) * 12)], count: 1)
            }
        }
        let single = Self.problem(
            sets: sets, experts: 8, visited: 1, residentBytes: 80, memory: 80)
        func resident(_ problem: DeploymentProblem) -> [Int] {
            DeploymentPlanner.plan(problem, slack: 0).map { $0.count { $0 == .resident } }.sorted()
        }
        #expect(resident(single) != [0, 8])
        #expect(resident(single.decodingTogether(16)) == [0, 8])
        // And it is better than what single tokens want, by the steps' own costs.
        let together = single.decodingTogether(16)
        let planned = DeploymentPlanner.plan(together, slack: 0)
        let alone = DeploymentPlanner.plan(single, slack: 0)
        #expect(
            together.cost(planned).secondsPerToken < 0.9 * together.cost(alone).secondsPerToken)
    }

    /// Against every deployment there is.
    @Test func isCloseToTheBest() {
        for seed in 0..<10 as Range<UInt64> {
            let problem = DeploymentProblems.tiny(seed: seed).decodingTogether(2)
            let seconds = problem.seconds(problem.cost(DeploymentPlanner.plan(problem, slack: 0)))
            let best = problem.seconds(problem.cost(ExhaustiveDeployment.plan(problem).homes))
            #expect(seconds <= best * 1.005 && seconds >= best * (1 - 1e-3), "seed \(seed)")
            #expect(DeploymentBound(problem).seconds <= best, "seed \(seed)")
        }
    }
}
