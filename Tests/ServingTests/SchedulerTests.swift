import SystemModel
import TestSupport
import Testing

@testable import Serving

/// Who advances in a step.
struct SchedulerTests {
    private func state(running: Int = 4, rows: Int = 8) -> SchedulerState {
        var limits = SchedulerState.Limits()
        (limits.running, limits.rows) = (running, rows)
        return SchedulerState(limits)
    }

    /// Answers get a row each in every step; the rest goes to prompts in equal parts.
    @Test func answersGoFirstAndPromptsShare() {
        var state = state()
        for (id, count) in [(0, 1), (1, 100), (2, 2)] {
            state.submit(.init(id: id, promptCount: count, answerLimit: 10))
            state.admit(reused: 0)
        }
        #expect(state.step().first { $0.id == 0 } == .init(id: 0, rows: 1, draws: true))
        state.submit(.init(id: 3, promptCount: 100, answerLimit: 1))
        state.admit(reused: 0)
        let shares = state.step()
        #expect(shares.map(\.id) == [0, 1, 2, 3])
        #expect(shares[0] == .init(id: 0, rows: 1, draws: true))
        #expect(shares[2] == .init(id: 2, rows: 1, draws: true))
        #expect(shares.reduce(0) { $0 + $1.rows } == 8)
        #expect(abs(shares[1].rows - shares[3].rows) <= 1)
    }

    /// Whatever comes: every prompt is read once, no step is larger than allowed, nobody waits for
    /// ever, and a first token is drawn exactly when the prompt has been read.
    @Test(arguments: 0..<50)
    func everyoneEnds(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var state = state(
            running: .random(in: 1...6, using: &generator),
            rows: .random(in: 6...20, using: &generator))
        var wanted: [Int: (prompt: Int, answer: Int)] = [:]
        var read: [Int: Int] = [:]
        var drawn: [Int: Int] = [:]
        var id = 0
        for step in 0..<2000 where step < 100 || !state.isEmpty {
            if step < 100, state.hasRoom, Bool.random(using: &generator) {
                wanted[id] = (
                    .random(in: 1...60, using: &generator), .random(in: 1...20, using: &generator)
                )
                state.submit(
                    .init(id: id, promptCount: wanted[id]!.prompt, answerLimit: wanted[id]!.answer))
                id += 1
            }
            while state.next != nil { state.admit(reused: 0) }
            let shares = state.step()
            #expect(shares.reduce(0) { $0 + $1.rows } <= state.limits.rows, "seed \(seed)")
            #expect(shares.isEmpty == state.running.isEmpty, "seed \(seed)")
            for share in shares {
                read[share.id, default: 0] += share.rows
                let isRead = read[share.id, default: 0] >= wanted[share.id]!.prompt
                #expect(share.draws == isRead, "seed \(seed)")
                drawn[share.id, default: 0] += share.draws ? 1 : 0
                if drawn[share.id] == wanted[share.id]!.answer {
                    #expect(read[share.id] == wanted[share.id]!.prompt + drawn[share.id]! - 1)
                    state.remove(share.id)
                }
            }
        }
        #expect(state.isEmpty, "seed \(seed)")
        #expect(wanted.allSatisfy { drawn[$0] == $1.answer }, "seed \(seed)")
    }

    @Test func whatWasReadBeforeIsNotReadAgain() {
        var state = state(rows: 100)
        state.submit(.init(id: 7, promptCount: 70, answerLimit: 2))
        state.admit(reused: 64)
        #expect(state.step() == [.init(id: 7, rows: 6, draws: true)])
        #expect(state.step() == [.init(id: 7, rows: 1, draws: true)])
    }

    /// However a text is cut into pieces, it ends before the first stop text, and nothing of it is
    /// let through before.
    @Test(arguments: 0..<50)
    func stopTextsAreFound(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let text = String((0..<40).map { _ in "abé".randomElement(using: &generator) ?? "a" })
        let stops = ["abab", "éa", "bbb"].filter { _ in Bool.random(using: &generator) }
        let end = stops.compactMap { text.utf8String.firstRange(of: $0.utf8String)?.lowerBound }
            .min()
        var matcher = StopMatcher(stops)
        var shown = ""
        var rest = text[...]
        while !rest.isEmpty {
            let piece = rest.prefix(.random(in: 1...4, using: &generator))
            rest = rest.dropFirst(piece.count)
            shown += matcher.append(String(piece))
        }
        shown += matcher.finish()
        #expect(shown.utf8String == Array(text.utf8String.prefix(end ?? .max)), "seed \(seed)")
        #expect(matcher.isStopped == (end != nil), "seed \(seed)")
    }
}

extension String {
    fileprivate var utf8String: [UInt8] { Array(utf8) }

    /// Where a prompt may not be split, each is read in one step, in order of arrival, and the
    /// first one however long it is.
    @Test func promptsThatMayNotBeSplitAreReadWhole() {
        var limits = SchedulerState.Limits()
        (limits.rows, limits.splitsPrompts) = (10, false)
        var state = SchedulerState(limits)
        for (id, count) in [30, 4, 5, 3].enumerated() {
            state.submit(.init(id: id, promptCount: count, answerLimit: 5))
            state.admit(reused: 0)
        }
        #expect(state.step() == [.init(id: 0, rows: 30, draws: true)])
        #expect(
            state.step() == [
                .init(id: 0, rows: 1, draws: true), .init(id: 1, rows: 4, draws: true),
                .init(id: 2, rows: 5, draws: true),
            ])
        #expect(state.step().map(\.rows) == [1, 1, 1, 3])
    }
}
