import SystemModel
import Testing

@testable import Coordinator

/// In how many parts steps go.
struct StepPartsStateTests {
    /// Runs steps whose time follows from their parts; returns those parts.
    private func run(
        _ state: inout StepPartsState, steps: Int, rows: Int = 8, from: Duration = .zero,
        milliseconds: (Int) -> Double
    ) -> [Int] {
        var now = from
        return (0..<steps).map { _ in
            let parts = state.begin(rows: rows, now: now)
            now += .seconds(milliseconds(parts) / 1e3)
            state.finishedLayer(now: now)
            return parts
        }
    }

    @Test func theFastestWayIsKeptAndTheOthersSeldomTried() {
        for times in [[1: 60.0, 2: 40.0, 4: 50.0], [1: 40, 2: 60, 4: 45], [1: 60, 2: 50, 4: 40]] {
            var state = StepPartsState(trialShare: 0.02)
            let parts = run(&state, steps: 1_000) { times[$0] ?? .infinity }
            #expect(parts.prefix(3) == [1, 2, 4], "all are tried first")
            let trials = parts.dropFirst(3).filter { times[$0] != 40 }
            #expect(Set(trials).count == 2, "a change of either would be seen")
            #expect(trials.count >= 10)
            let lost = trials.reduce(0) { $0 + (times[$1] ?? 0) - 40 }
            #expect(lost <= 0.021 * 1_000 * 40, "trials cost their share")
        }
    }

    /// A step that waited for a lost device keeps no other way from being tried.
    @Test func oneSlowStepBlocksNoTrial() {
        var state = StepPartsState()
        _ = run(&state, steps: 3) { [1: 40.0, 2: 45, 4: 10_000][$0] ?? 0 }
        let later = run(&state, steps: 600, from: .seconds(100)) { $0 == 2 ? 20 : 40 }
        #expect(later.suffix(100).count { $0 == 2 } > 90)
    }

    /// A step that was disturbed makes no other way look better.
    @Test func oneSlowStepChangesNothing() {
        let times = [1: 60.0, 2: 50, 4: 40]
        var state = StepPartsState()
        _ = run(&state, steps: 20) { times[$0] ?? 0 }
        #expect(run(&state, steps: 1, from: .seconds(100)) { _ in 4_000 } == [4])
        let later = run(&state, steps: 20, from: .seconds(200)) { times[$0] ?? 0 }
        #expect(later.count { $0 == 4 } >= 18, "but for a trial of either")
    }

    /// A part has a row at least.
    @Test func fewRowsHaveFewParts() {
        var state = StepPartsState()
        #expect(Set(run(&state, steps: 200, rows: 3) { 60 / Double($0) }) == [1, 2])
        #expect(run(&state, steps: 200, rows: 5) { 60 / Double($0) }.suffix(50).contains(4))
    }

    @Test func aChangeIsSeen() {
        var state = StepPartsState()
        _ = run(&state, steps: 200) { $0 == 1 ? 60 : 40 }
        let later = run(&state, steps: 600, from: .seconds(100)) { $0 == 1 ? 40 : 60 }
        #expect(later.suffix(100).count { $0 == 1 } > 90)
    }

    /// Steps of another size are other steps; one row has no parts.
    @Test func sizesAreApart() {
        var state = StepPartsState()
        _ = run(&state, steps: 100) { $0 == 1 ? 60 : 40 }
        let large = run(&state, steps: 100, rows: 256) { $0 == 1 ? 100 : 200 }
        #expect(large.count { $0 == 1 } > 90)
        #expect(run(&state, steps: 50) { $0 == 1 ? 60 : 40 }.count { $0 > 1 } > 45)
        #expect(run(&state, steps: 3, rows: 1) { _ in 5 } == [1, 1, 1])
    }

    /// A step that ended before any layer tells nothing.
    @Test func stepsWithoutLayersAreForgotten() {
        var state = StepPartsState()
        #expect(state.begin(rows: 4, now: .zero) == 1)
        #expect(state.begin(rows: 4, now: .seconds(9)) == 1)
        state.finishedLayer(now: .seconds(10))
        #expect(state.begin(rows: 4, now: .seconds(10)) == 2)
        state.finishedLayer(now: .seconds(11))
        #expect(state.begin(rows: 4, now: .seconds(11)) == 4)
    }
}
