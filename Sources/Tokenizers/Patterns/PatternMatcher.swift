/// Runs a `PatternProgram` over valid UTF-8 text.
///
/// Holds the stack of untried possibilities, so that one allocation serves all matches of a text.
struct PatternMatcher {
    private let instructions: [PatternProgram.Instruction]
    private let sets: [ScalarSet]
    private var untried: [Possibility] = []

    /// Where to go on when the present attempt fails. A run keeps the positions from `lowest` through
    /// `position` as further possibilities.
    private struct Possibility {
        let instruction: Int
        var position: Int
        let lowest: Int
    }

    /// One attempt: the next instruction and how far the text has been matched.
    private struct Attempt {
        var instruction: Int
        var position: Int
    }

    init(_ program: PatternProgram) {
        instructions = program.instructions
        sets = program.sets
    }

    /// The end of the match that begins exactly at `start`, or nil.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - range: what the pattern may see; anchors and look-ahead take it for the whole text.
    mutating func match(_ text: [UInt8], at start: Int, in range: Range<Int>) -> Int? {
        match(text, in: range, Attempt(instruction: 0, position: start))
    }

    private mutating func match(
        _ text: [UInt8], in range: Range<Int>, _ first: Attempt
    ) -> Int? {
        let floor = untried.count
        var attempt = first
        while true {
            if case .match = instructions[attempt.instruction] {
                untried.removeLast(untried.count - floor)
                return attempt.position
            }
            if step(text, in: range, &attempt) { continue }
            guard untried.count > floor else { return nil }
            attempt = resume(text)
        }
    }

    /// Performs one instruction; false when the attempt fails.
    @inline(__always)
    private mutating func step(
        _ text: [UInt8], in range: Range<Int>, _ attempt: inout Attempt
    ) -> Bool {
        let position = attempt.position
        let following = attempt.instruction + 1
        switch instructions[attempt.instruction] {
        case .scalar(let set):
            guard let count = width(text, at: position, in: range, set) else { return false }
            attempt = Attempt(instruction: following, position: position + count)
        case .run(let set, let minimum, let maximum, let isPossessive):
            guard let run = run(text, at: position, in: range, set, minimum, maximum) else {
                return false
            }
            if !isPossessive, run.end > run.lowest {
                untried.append(
                    Possibility(instruction: following, position: run.end, lowest: run.lowest))
            }
            attempt = Attempt(instruction: following, position: run.end)
        case .fork(let other, let firstASCII):
            if position < range.upperBound, text[position] < 0x80,
                !firstASCII.contains(text[position])
            {
                attempt.instruction = other
            } else {
                push(other, position)
                attempt.instruction = following
            }
        case .lazyFork(let other):
            push(following, position)
            attempt.instruction = other
        case .jump(let target):
            attempt.instruction = target
        case .look(let isNegated, let after):
            let inner = Attempt(instruction: following, position: position)
            guard (match(text, in: range, inner) == nil) == isNegated else { return false }
            attempt.instruction = after
        case .atomic(let after):
            let inner = Attempt(instruction: following, position: position)
            guard let end = match(text, in: range, inner) else { return false }
            attempt = Attempt(instruction: after, position: end)
        case .textStart, .textEnd, .lineStart, .lineEnd, .match:
            guard isAnchored(text, in: range, attempt) else { return false }
            attempt.instruction = following
        }
        return true
    }

    private func isAnchored(_ text: [UInt8], in range: Range<Int>, _ attempt: Attempt) -> Bool {
        let position = attempt.position
        switch instructions[attempt.instruction] {
        case .textStart: return position == range.lowerBound
        case .textEnd: return position == range.upperBound
        case .lineStart:
            return position == range.lowerBound
                || text[position - 1] == 0x0A && position < range.upperBound
        case .lineEnd: return position == range.upperBound || text[position] == 0x0A
        default: return true
        }
    }

    private mutating func push(_ instruction: Int, _ position: Int) {
        untried.append(
            Possibility(instruction: instruction, position: position, lowest: position))
    }

    /// Takes the latest untried possibility. A run's full length was tried first: it gives back one
    /// scalar each time.
    private mutating func resume(_ text: [UInt8]) -> Attempt {
        var possibility = untried.removeLast()
        if possibility.position > possibility.lowest {
            possibility.position = UTF8Text.start(in: text, before: possibility.position)
            if possibility.position > possibility.lowest { untried.append(possibility) }
        }
        return Attempt(instruction: possibility.instruction, position: possibility.position)
    }

    /// Bytes of the scalar at `position` when it is in the set.
    @inline(__always)
    private func width(
        _ text: [UInt8], at position: Int, in range: Range<Int>,
        _ set: PatternProgram.SetReference
    ) -> Int? {
        guard position < range.upperBound else { return nil }
        let byte = text[position]
        if byte < 0x80 { return set.ascii.contains(byte) ? 1 : nil }
        let scalar = UTF8Text.scalar(in: text, at: position)
        return sets[set.index].contains(scalar.value) ? scalar.count : nil
    }

    @inline(__always)
    private func run(
        _ text: [UInt8], at start: Int, in range: Range<Int>,
        _ set: PatternProgram.SetReference, _ minimum: Int, _ maximum: Int
    ) -> (lowest: Int, end: Int)? {
        var position = start
        var lowest = start
        var count = 0
        while count < maximum, let width = width(text, at: position, in: range, set) {
            position += width
            count += 1
            if count == minimum { lowest = position }
        }
        return count >= minimum ? (lowest, position) : nil
    }
}
