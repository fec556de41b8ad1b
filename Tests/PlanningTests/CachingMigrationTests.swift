import SystemModel
import Testing

@testable import Planning

/// Going from one placement to a better one.
struct CachingMigrationTests {
    @Test func whatIsMovedStaysWithinTheBudget() throws {
        for seed in 0..<UInt64(30) {
            let problem = Self.problem(seed: seed)
            let planner = ExpertCachingPlanner(problem)
            var options = CachingOptions()
            options.seed = seed
            let running = try planner.plan(.random, options)
            options.running = running.placement
            var last = running.savedSecondsPerToken
            let free = try planner.plan(.best, options)
            for budget in [0, 10, 30, 60, 100_000] {
                options.migrationBytes = budget
                let plan = try planner.plan(.best, options)
                let moved = problem.migrationBytes(from: running.placement, to: plan.placement)
                #expect(moved <= budget, "seed \(seed), budget \(budget)")
                #expect(problem.fits(plan.placement), "seed \(seed), budget \(budget)")
                #expect(
                    plan.savedSecondsPerToken >= running.savedSecondsPerToken - 1e-12,
                    "seed \(seed), budget \(budget)")
                last = max(last, plan.savedSecondsPerToken)
            }
            #expect(free.savedSecondsPerToken >= running.savedSecondsPerToken, "seed \(seed)")
            #expect(last > running.savedSecondsPerToken, "seed \(seed)")
        }
    }

    /// What a small budget reaches is a fair share of the best that it can, by trying everything.
    @Test func smallBudgetsAreSpentWell() throws {
        var shares: [Double] = []
        for seed in 0..<UInt64(20) {
            let problem = CachingProblems.small(seed: seed)
            let planner = ExpertCachingPlanner(problem)
            var options = CachingOptions()
            options.seed = seed
            let running = try planner.plan(.random, options)
            options.running = running.placement
            options.migrationBytes = 30
            let plan = try planner.plan(.best, options)
            let most = Self.most(problem, running.placement, budget: 30)
            guard most > 1e-9 else { continue }
            #expect(plan.savedSecondsPerToken <= most + 1e-12, "seed \(seed)")
            shares.append(plan.savedSecondsPerToken / most)
        }
        #expect(shares.count > 10)
        #expect(shares.reduce(0, +) / Double(shares.count) > 0.8)
    }

    @Test func aChangedServerIsPlannedAgain() throws {
        for seed in 0..<UInt64(20) {
            var problem = Self.problem(seed: seed)
            let planner = ExpertCachingPlanner(problem)
            let before = try planner.plan(.best)
            var replanner = CachingReplanner(planner, before.placement)
            #expect(replanner.plan == before, "seed \(seed)")
            for (server, bytes) in [(1, 0), (1, 60), (0, 20)] {
                problem.servers[server].storageBytes = bytes
                let seconds = problem.users.map { 0.5 * $0.serverSeconds[server] }
                for user in problem.users.indices {
                    problem.users[user].serverSeconds[server] = seconds[user]
                }
                replanner.change(server: server, storageBytes: bytes, userSeconds: seconds)
                let plan = replanner.plan
                #expect(problem.fits(plan.placement), "seed \(seed)")
                let truth = CachingProblems.seconds(problem, plan.placement)
                #expect(abs(plan.secondsPerToken - truth) < 1e-12, "seed \(seed)")
                var kept = plan.placement
                kept[server] = []
                #expect(
                    plan.secondsPerToken <= CachingProblems.seconds(problem, kept) + 1e-12,
                    "seed \(seed)")
            }
        }
    }

    private static func problem(seed: UInt64) -> ExpertCachingProblem {
        var generator = SeededGenerator(seed: seed)
        var size = CachingProblems.Size()
        (size.servers, size.users, size.layers, size.experts) = (3, 3, 2, 6)
        (size.perSet, size.slots) = (1 + Int(seed % 3), 2...5)
        return CachingProblems.random(size, using: &generator)
    }

    /// The most that a placement within the budget saves, two servers.
    private static func most(
        _ problem: ExpertCachingProblem, _ running: CachePlacement, budget: Int
    ) -> Double {
        let planner = ExpertCachingPlanner(problem)
        let contents = problem.servers.indices.map { server in
            ExhaustiveCaching.contents(
                planner.index, capacity: problem.servers[server].storageBytes)
        }
        var most = 0.0
        for first in contents[0] {
            for second in contents[1] {
                let placement = [first, second]
                guard problem.migrationBytes(from: running, to: placement) <= budget else {
                    continue
                }
                most = max(most, planner.evaluate(placement).savedSecondsPerToken)
            }
        }
        return most
    }
}

extension ExhaustiveCaching {
    /// Every content of a server that fits.
    fileprivate static func contents(_ index: CachingIndex, capacity: Int) -> [[CachedExpert]] {
        let all = Array(0..<index.expertCount)
        return (0..<1 << all.count).map { mask in all.filter { mask >> $0 & 1 == 1 } }
            .filter { $0.reduce(0) { $0 + index.bytes(of: $1) } <= capacity }
            .map { $0.map { index.name(of: $0) } }
    }
}
