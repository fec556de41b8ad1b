import SystemModel
import Testing

@testable import Planning

/// Memory for what tokens visited last, as planned.
struct RecentMemoryTests {
    /// A problem whose tokens come back to experts soon.
    private func problem(seed: UInt64) -> DeploymentProblem {
        var generator = SeededGenerator(seed: seed)
        var problem = DeploymentProblems.tiny(seed: seed)
        problem.residentBytes = 10 * Int.random(in: 3...5, using: &generator)
        problem.fileSeconds = 0.02
        for device in problem.devices.indices { problem.devices[device].memoryBytes /= 4 }
        problem.reuse = (0..<2).map { layer in
            problem.heat(layer).map { heat in
                // Nine visits of ten follow another at once.
                var times = ReuseTimes(independent: heat)
                times.missed = times.missed.map { $0 / 10 }
                times.kept = times.kept.map { $0 * 0.4 }
                return times
            }
        }
        return problem
    }

    /// Against every deployment there is, each with as long a window as it has memory for.
    @Test func isCloseToTheBest() {
        var ratios: [Double] = []
        var better = 0
        for seed in 0..<20 as Range<UInt64> {
            let problem = problem(seed: seed)
            let homes = DeploymentPlanner.plan(problem, slack: 0)
            #expect(DeploymentProblems.fits(homes, problem), "seed \(seed)")
            let best = problem.seconds(problem.cost(ExhaustiveDeployment.plan(problem).homes))
            let seconds = problem.seconds(problem.cost(homes))
            #expect(seconds >= best * (1 - 1e-3), "seed \(seed)")
            ratios.append(seconds / best)
            let lasting = problem.keeping(nil)
            let held = DeploymentPlanner.plan(lasting, slack: 0)
            #expect(seconds <= lasting.seconds(lasting.cost(held)) + 1e-12, "seed \(seed)")
            if seconds < 0.98 * lasting.seconds(lasting.cost(held)) { better += 1 }
        }
        #expect(better >= 5, "recent visits help in \(better) of 20")
        #expect(ratios.reduce(0, +) / Double(ratios.count) <= 1.01, "\(ratios)")
        #expect((ratios.max() ?? 0) <= 1.1, "\(ratios)")
    }

    /// What a layer and a search say of changes is what the whole problem says, and no window takes
    /// more than there is.
    @Test func changesAreCountedAsTheWhole() {
        var tried = 0
        for seed in 0..<12 as Range<UInt64> {
            var problem = problem(seed: seed)
            problem.residentBytes = 60
            problem = problem.keeping(Int(seed % 3))
            var generator = SeededGenerator(seed: seed)
            var memories = problem.emptyHomes.map { $0.map { _ in 3 } }
            guard problem.bytesLeft(memories)[0] >= 0 else { continue }
            tried += 1
            var search = DeploymentSearch(problem, memories, work: .max)
            for _ in 0..<200 {
                let layer = Int.random(in: 0..<2, using: &generator)
                let expert = Int.random(in: 0..<4, using: &generator)
                let memory = Int.random(in: 0...3, using: &generator)
                var after = memories
                after[layer][expert] = memory
                let steps = [(layer: layer, changes: [(expert: expert, memory: memory)])]
                let fits = problem.bytesLeft(after).allSatisfy { $0 >= 0 }
                let difference = search.difference(steps)
                #expect((difference != nil) == (fits || memory == memories[layer][expert]))
                guard difference != nil else { continue }
                search.apply(steps)
                memories = after
                let homes = memories.map { layer in
                    layer.map { ExpertHome(memory: $0 < 3 ? $0 : nil) }
                }
                #expect(problem.bytesLeft(homes) == Array(search.left.dropLast()))
                #expect(abs(search.objective - problem.objective(problem.cost(homes))) < 1e-12)
            }
        }
        #expect(tried >= 8, "most begin with all in the file")
    }

    /// More memory never makes a deployment slower, and what is left is what is not held for good.
    @Test func moreMemoryRemembersLonger() {
        var problem = problem(seed: 3)
        let homes = problem.emptyHomes
        var last = Double.infinity
        for experts in 0...8 {
            problem.residentBytes = 10 * experts
            let seconds = problem.seconds(problem.cost(homes))
            #expect(seconds <= last)
            last = seconds
            // Less than a token visits of a layer is good for nothing.
            #expect(problem.recentBytes(homes) == (problem.window(homes) == nil ? 0 : 10 * experts))
        }
        #expect(problem.recentBytes(homes) == 80)
        problem.residentBytes = 20
        #expect(problem.recentBytes(homes) == 0)
        #expect(last < problem.seconds(problem.cost(homes)))
        var resident = homes
        resident[0][1] = .resident
        problem.residentBytes = 75
        #expect(problem.recentBytes(resident) == 65)
    }

    /// For steps of many rows nothing is kept: a prompt visits everything once.
    @Test func promptsRememberNothing() {
        var problem = DeploymentProblems.drawn(
            layers: 2, experts: 6, visited: 2, tokens: 200, devices: 2, seed: 2)
        problem.reuse = problem.independentReuse
        let many = problem.decodingTogether(DeploymentProblem.mostRowsKept * 2)
        #expect(many.reuse[0] != problem.reuse[0], "steps of many rows visit most experts")
        let homes = DeploymentPlanner.plan(many, slack: 0)
        #expect(homes == DeploymentPlanner.plan(many.keeping(nil), slack: 0))
        #expect(many.cost(homes) == many.keeping(nil).cost(homes))
        #expect(many.recentBytes(homes) == 0)
    }
}
