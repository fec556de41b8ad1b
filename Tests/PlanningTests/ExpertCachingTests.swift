import SystemModel
import Testing

@testable import Planning

/// Every algorithm against a slow evaluation and against exhaustive search.
struct ExpertCachingTests {
    static let seeds = 0..<UInt64(60)

    @Test(arguments: CachingAlgorithm.allCases)
    func placementsFitAndAreWorthWhatTheySay(_ algorithm: CachingAlgorithm) throws {
        for seed in Self.seeds {
            let problem = CachingProblems.small(seed: seed)
            let plan = try ExpertCachingPlanner(problem).plan(algorithm)
            let seconds = CachingProblems.seconds(problem, plan.placement)
            let cloud = CachingProblems.seconds(problem, problem.servers.map { _ in [] })
            #expect(problem.fits(plan.placement), "\(algorithm), seed \(seed)")
            #expect(abs(plan.secondsPerToken - seconds) < 1e-12, "\(algorithm), seed \(seed)")
            #expect(
                abs(plan.savedSecondsPerToken - (cloud - seconds)) < 1e-12,
                "\(algorithm), seed \(seed)")
            #expect(seconds <= cloud + 1e-12, "\(algorithm), seed \(seed)")
            for content in plan.placement {
                #expect(Set(content).count == content.count, "\(algorithm), seed \(seed)")
                #expect(content == content.sorted(), "\(algorithm), seed \(seed)")
            }
        }
    }

    /// The exhaustive search itself, against another that knows nothing of indices and states.
    @Test func exhaustiveSearchFindsTheBest() throws {
        for seed in 0..<UInt64(6) {
            var generator = SeededGenerator(seed: seed)
            var size = CachingProblems.Size()
            (size.layers, size.experts, size.slots) = (2, 3, 1...2)
            size.perSet = 1 + Int(seed % 2)
            let problem = CachingProblems.random(size, using: &generator)
            let plan = try ExpertCachingPlanner(problem).plan(.exhaustive)
            var least = Double.infinity
            for first in Self.contents(problem, server: 0) {
                for second in Self.contents(problem, server: 1) {
                    least = min(least, CachingProblems.seconds(problem, [first, second]))
                }
            }
            #expect(abs(plan.secondsPerToken - least) < 1e-12, "seed \(seed)")
        }
    }

    @Test func bestIsCloseToExhaustiveSearch() throws {
        var shares: [Double] = []
        for seed in Self.seeds {
            let planner = ExpertCachingPlanner(CachingProblems.small(seed: seed))
            let most = try planner.plan(.exhaustive).savedSecondsPerToken
            let best = try planner.plan(.best).savedSecondsPerToken
            #expect(best <= most + 1e-12, "seed \(seed)")
            guard most > 1e-9 else { continue }
            shares.append(best / most)
            #expect(best / most > 0.9, "seed \(seed)")
            for other in [CachingAlgorithm.successive, .maxconv, .greedy] {
                let saved = try planner.plan(other).savedSecondsPerToken
                #expect(saved <= most + 1e-12, "\(other), seed \(seed)")
            }
        }
        #expect(shares.count > 40)
        #expect(shares.reduce(0, +) / Double(shares.count) > 0.99)
    }

    /// With one expert per token and one server every method solves a knapsack of equal items.
    @Test func oneServerAndOneExpertPerTokenIsExact() throws {
        for seed in Self.seeds {
            var generator = SeededGenerator(seed: seed)
            var size = CachingProblems.Size()
            (size.servers, size.perSet, size.layers) = (1, 1, 2)
            let planner = ExpertCachingPlanner(CachingProblems.random(size, using: &generator))
            let most = try planner.plan(.exhaustive).savedSecondsPerToken
            for other in [CachingAlgorithm.best, .successive, .maxconv, .greedy] {
                let saved = try planner.plan(other).savedSecondsPerToken
                #expect(abs(saved - most) < 1e-12, "\(other), seed \(seed)")
            }
        }
    }

    /// Sviridenko's bound, checked where the optimum is known.
    @Test func enumeratedGreedyKeepsItsGuarantee() throws {
        for seed in 0..<UInt64(12) {
            var generator = SeededGenerator(seed: seed)
            var size = CachingProblems.Size()
            (size.perSet, size.models, size.layers, size.experts) = (1, 2, 1, 3)
            size.expertBytes = [10, 25]
            let planner = ExpertCachingPlanner(CachingProblems.random(size, using: &generator))
            let most = try planner.plan(.exhaustive).savedSecondsPerToken
            var last = 0.0
            for seedSize in [0, 1, 2, 3] {
                var options = CachingOptions()
                options.seedSize = seedSize
                let saved = try planner.plan(.greedy, options).savedSecondsPerToken
                #expect(saved >= last - 1e-12, "seed \(seed)")
                last = saved
            }
            #expect(last >= (1 - 1 / 2.718281828) * most - 1e-12, "seed \(seed)")
        }
    }

    @Test func plansFollowFromTheirSeed() throws {
        let planner = ExpertCachingPlanner(CachingProblems.small(seed: 7))
        for algorithm in CachingAlgorithm.allCases {
            let (first, second) = (try planner.plan(algorithm), try planner.plan(algorithm))
            #expect(first == second, "\(algorithm)")
        }
        var options = CachingOptions()
        options.seed = 1
        let (first, second) = (try planner.plan(.random), try planner.plan(.random, options))
        #expect(first != second)
    }

    /// Two experts that are only asked for together, and servers with room for one each: no server
    /// alone can save anything, and best finds that the two together can.
    @Test func setsAreSharedAmongServers() throws {
        let problem = ExpertCachingProblem(
            models: [CachedModel(name: "m", layers: 1, experts: 3, expertBytes: 1)],
            servers: ["a", "b"].map { CachingServer(name: $0, storageBytes: 1) },
            users: [
                CachingUser(
                    name: "u", weight: 1, model: 0, local: [], localSeconds: 0,
                    serverSeconds: [0.01, 0.02], cloudSeconds: 0.1)
            ],
            activations: [Activation(user: 0, layer: 0, experts: [0, 2], probability: 1)])
        let planner = ExpertCachingPlanner(problem)
        for algorithm in [CachingAlgorithm.successive, .greedy] {
            let plan = try planner.plan(algorithm)
            #expect(plan.savedSecondsPerToken == 0, "\(algorithm)")
        }
        let best = try planner.plan(.best)
        #expect(abs(best.secondsPerToken - 0.02) < 1e-15)
        #expect(Set(best.placement.joined().map(\.expert)) == [0, 2])
    }

    @Test func planningCanBeStopped() {
        struct Stop: Error {}
        let planner = ExpertCachingPlanner(CachingProblems.small(seed: 1))
        #expect(throws: Stop.self) {
            try planner.plan(.best, CachingOptions(), observe: { _ in throw Stop() })
        }
    }

    @Test func nothingToStoreOrNobodyAskingIsFine() throws {
        var problem = CachingProblems.small(seed: 2)
        problem.activations = []
        for algorithm in CachingAlgorithm.allCases {
            let plan = try ExpertCachingPlanner(problem).plan(algorithm)
            #expect(plan.secondsPerToken == 0 && plan.savedSecondsPerToken == 0, "\(algorithm)")
        }
        problem = CachingProblems.small(seed: 2)
        for server in problem.servers.indices { problem.servers[server].storageBytes = 9 }
        for algorithm in CachingAlgorithm.allCases {
            let plan = try ExpertCachingPlanner(problem).plan(algorithm)
            #expect(plan.placement == [[], []], "\(algorithm)")
        }
    }

    /// Every content of a server that fits.
    private static func contents(
        _ problem: ExpertCachingProblem, server: Int
    ) -> [[CachedExpert]] {
        let all = (0..<problem.models[0].layers).flatMap { layer in
            (0..<problem.models[0].experts).map {
                CachedExpert(model: 0, layer: layer, expert: $0)
            }
        }
        let slots = problem.servers[server].storageBytes / problem.models[0].expertBytes
        return (0..<1 << all.count).filter { $0.nonzeroBitCount <= slots }.map { mask in
            all.indices.filter { mask >> $0 & 1 == 1 }.map { all[$0] }
        }
    }
}
