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

    @Test func theFasterWayIsKeptAndTheOtherSeldomTried() {
        for (one, two) in [(60.0, 40.0), (40.0, 60.0)] {
            var state = StepPartsState(trialShare: 0.02)
            let parts = run(&state, steps: 1_000) { $0 == 1 ? one : two }
            #expect(parts.prefix(2) == [1, 2], "both are tried first")
            let best = one < two ? 1 : 2
            let trials = parts.dropFirst(2).count { $0 != best }
            #expect(trials >= 10, "a change would be seen")
            let lost = Double(trials) * abs(one - two)
            #expect(lost <= 0.021 * 1_000 * min(one, two), "trials cost their share")
        }
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
        #expect(run(&state, steps: 50) { $0 == 1 ? 60 : 40 }.count { $0 == 2 } > 45)
        #expect(run(&state, steps: 3, rows: 1) { _ in 5 } == [1, 1, 1])
    }

    /// A step that ended before any layer tells nothing.
    @Test func stepsWithoutLayersAreForgotten() {
        var state = StepPartsState()
        #expect(state.begin(rows: 4, now: .zero) == 1)
        #expect(state.begin(rows: 4, now: .seconds(9)) == 1)
        state.finishedLayer(now: .seconds(10))
        #expect(state.begin(rows: 4, now: .seconds(10)) == 2)
    }
}
