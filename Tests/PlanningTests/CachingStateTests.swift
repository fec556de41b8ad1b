import SystemModel
import Testing

@testable import Planning

/// The incremental state against the same computed from nothing.
struct CachingStateTests {
    @Test func storingAndDroppingKeepsEverythingUpToDate() {
        for seed in 0..<UInt64(40) {
            var generator = SeededGenerator(seed: seed)
            var size = CachingProblems.Size()
            (size.servers, size.users, size.perSet, size.sets) = (3, 3, 3, 6)
            size.slots = 20...20
            let problem = CachingProblems.random(size, using: &generator)
            let planner = ExpertCachingPlanner(problem)
            var state = CachingState(planner.index)
            for step in 0..<60 {
                let server = Int(generator.next() % 3)
                let expert = Int(generator.next() % UInt64(planner.index.expertCount))
                let before = state.savedSeconds
                if state.holds(server, expert) {
                    let lost = state.drop(expert, at: server)
                    #expect(
                        abs(before - state.savedSeconds - lost) < 1e-12,
                        "seed \(seed), step \(step)")
                } else {
                    let gain = state.gain(expert, at: server)
                    let saved = state.store(expert, at: server)
                    #expect(abs(gain - saved) < 1e-12, "seed \(seed), step \(step)")
                    #expect(
                        abs(state.savedSeconds - before - saved) < 1e-12,
                        "seed \(seed), step \(step)")
                }
                let fresh = planner.state(state.placement)
                #expect(fresh.seconds == state.seconds, "seed \(seed), step \(step)")
                #expect(fresh.entrySeconds == state.entrySeconds, "seed \(seed), step \(step)")
                #expect(fresh.order == state.order, "seed \(seed), step \(step)")
                #expect(
                    abs(
                        state.secondsPerToken
                            - CachingProblems.seconds(problem, state.placement)) < 1e-12,
                    "seed \(seed), step \(step)")
            }
        }
    }

    /// A curve that is remembered equals one that is computed again.
    @Test func sweepsWithAndWithoutMemoryAgree() {
        for seed in 0..<UInt64(40) {
            var generator = SeededGenerator(seed: seed)
            var size = CachingProblems.Size()
            (size.servers, size.users, size.layers, size.perSet) = (4, 3, 3, 1 + Int(seed % 3))
            let index = ExpertCachingPlanner(CachingProblems.random(size, using: &generator)).index
            let knapsack = StorageKnapsack(method: .accelerated, epsilon: 0)
            var sweep = CachingSweep(CachingState(index), ServerSolver(index, knapsack))
            for round in 0..<4 {
                var forgetful = CachingSweep(sweep.state, ServerSolver(index, knapsack))
                forgetful.pass(Array(0..<4))
                sweep.pass(Array(0..<4))
                #expect(
                    forgetful.state.content == sweep.state.content, "seed \(seed), round \(round)")
            }
        }
    }

    /// Improving never makes a placement worse, whatever it starts from.
    @Test func improvingNeverCostsAnything() {
        for seed in 0..<UInt64(30) {
            var generator = SeededGenerator(seed: seed)
            var size = CachingProblems.Size()
            (size.servers, size.experts, size.perSet, size.slots) = (3, 20, 3, 2...9)
            let index = ExpertCachingPlanner(CachingProblems.random(size, using: &generator)).index
            let start = PopularityCaching(CachingState(index)).random(using: &generator)
            let solver = ServerSolver(index, StorageKnapsack(method: .accelerated, epsilon: 0))
            var sweep = CachingSweep(start, solver)
            var before = start.savedSeconds
            for round in 0..<4 {
                let said = sweep.improve([0, 1, 2])
                let saved = sweep.state.savedSeconds
                #expect(saved >= before - 1e-12, "seed \(seed), round \(round)")
                #expect(abs(saved - before - said) < 1e-9, "seed \(seed), round \(round)")
                before = saved
            }
            sweep.prune()
            #expect(abs(sweep.state.savedSeconds - before) < 1e-12, "seed \(seed)")
        }
    }
}
