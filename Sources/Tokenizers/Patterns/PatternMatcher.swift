/// Runs a `PatternProgram` over valid UTF-8 text.
extension PatternProgram {
    /// What is left to try; one stack serves all matches of a text, so that they do not allocate.
    struct Stack {
        fileprivate var untried: [Possibility] = []
    }

    /// Where to go on when the present attempt fails. A run keeps the positions from `lowest`
    /// through `position` as further possibilities.
    fileprivate struct Possibility {
        let instruction: Int
        var position: Int
        let lowest: Int
    }

    /// One attempt: the next instruction and how far the text has been matched.
    fileprivate struct Attempt {
        var instruction: Int
        var position: Int
    }

    /// The end of the match that begins exactly at `start`, or nil.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - range: what the pattern may see; anchors and look-around take it for the whole text.
    func match(_ text: [UInt8], at start: Int, in range: Range<Int>, _ stack: inout Stack) -> Int? {
        let isASCII = start < range.upperBound && text[start] < 0x80
        let first = isASCII ? starts[Int(text[start])] : 0
        return match(text, in: range, Attempt(instruction: first, position: start), &stack)
    }

    private func match(
        _ text: [UInt8], in range: Range<Int>, _ first: Attempt, _ stack: inout Stack
    ) -> Int? {
        let floor = stack.untried.count
        var attempt = first
        while true {
            if case .match = instructions[attempt.instruction] {
                while stack.untried.count > floor { stack.untried.removeLast() }
                return attempt.position
            }
            if step(text, in: range, &attempt, &stack) { continue }
            guard stack.untried.count > floor else { return nil }
            attempt = stack.resume(text)
        }
    }

    /// Performs one instruction; false when the attempt fails.
    @inline(__always)
    private func step(
        _ text: [UInt8], in range: Range<Int>, _ attempt: inout Attempt, _ stack: inout Stack
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
                stack.untried.append(
                    Possibility(instruction: following, position: run.end, lowest: run.lowest))
            }
            attempt = Attempt(instruction: following, position: run.end)
        case .fork(let other, let firstASCII):
            if position < range.upperBound, text[position] < 0x80,
                !firstASCII.contains(text[position])
            {
                attempt.instruction = other
            } else {
                stack.push(other, position)
                attempt.instruction = following
            }
        case .lazyFork(let other):
            stack.push(following, position)
            attempt.instruction = other
        case .jump(let target):
            attempt.instruction = target
        case .look(let isNegated, let after):
            let inner = Attempt(instruction: following, position: position)
            guard (match(text, in: range, inner, &stack) == nil) == isNegated else { return false }
            attempt.instruction = after
        case .lookBehind(let width, let isNegated, let after):
            var found = false
            if let start = Self.start(text, width, before: position, in: range) {
                let inner = Attempt(instruction: following, position: start)
                found = match(text, in: range, inner, &stack) != nil
            }
            guard found != isNegated else { return false }
            attempt.instruction = after
        case .atomic(let after):
            let inner = Attempt(instruction: following, position: position)
            guard let end = match(text, in: range, inner, &stack) else { return false }
            attempt = Attempt(instruction: after, position: end)
        case .textStart, .textEnd, .lineStart, .lineEnd, .wordBoundary, .match:
            guard isAnchored(text, in: range, attempt) else { return false }
            attempt.instruction = following
        }
        return true
    }

    /// Where the `count` scalars before `position` begin; nil when there are fewer.
    private static func start(
        _ text: [UInt8], _ count: Int, before position: Int, in range: Range<Int>
    ) -> Int? {
        var start = position
        for _ in 0..<count {
            guard start > range.lowerBound else { return nil }
            start = UTF8Text.start(in: text, before: start)
        }
        return start
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
        case .wordBoundary(let isNegated):
            let isBefore =
                position > range.lowerBound
                && isWord(text, at: UTF8Text.start(in: text, before: position))
            let isAfter = position < range.upperBound && isWord(text, at: position)
            return (isBefore != isAfter) != isNegated
        default: return true
        }
    }

    private func isWord(_ text: [UInt8], at position: Int) -> Bool {
        ScalarSet.word.contains(UTF8Text.scalar(in: text, at: position).value)
    }

    /// Bytes of the scalar at `position` when it is in the set.
    @inline(__always)
    private func width(
        _ text: [UInt8], at position: Int, in range: Range<Int>, _ set: SetReference
    ) -> Int? {
        guard position < range.upperBound else { return nil }
        let byte = text[position]
        if byte < 0x80 { return set.ascii.contains(byte) ? 1 : nil }
        let scalar = UTF8Text.scalar(in: text, at: position)
        return contains(scalar.value, set) ? scalar.count : nil
    }

    @inline(__always)
    private func contains(_ scalar: UInt32, _ set: SetReference) -> Bool {
        if set.mask >> UInt64(properties.byte(of: scalar)) & 1 != 0 { return !set.isNegated }
        guard set.rangeStart < set.rangeEnd else { return set.isNegated }
        return isInRanges(scalar, set) != set.isNegated
    }

    private func isInRanges(_ scalar: UInt32, _ set: SetReference) -> Bool {
        var candidates = Int(set.rangeStart)..<Int(set.rangeEnd)
        while candidates.count > 8 {
            let middle = candidates.lowerBound + candidates.count / 2
            if ranges[middle].lowerBound <= scalar {
                candidates = middle..<candidates.upperBound
            } else {
                candidates = candidates.lowerBound..<middle
            }
        }
        for index in candidates where ranges[index].contains(scalar) { return true }
        return false
    }

    @inline(__always)
    private func run(
        _ text: [UInt8], at start: Int, in range: Range<Int>, _ set: SetReference,
        _ minimum: Int, _ maximum: Int
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

extension PatternProgram.Stack {
    @inline(__always)
    fileprivate mutating func push(_ instruction: Int, _ position: Int) {
        untried.append(
            PatternProgram.Possibility(
                instruction: instruction, position: position, lowest: position))
    }

    /// Takes the latest untried possibility. A run's full length was tried first: it gives back one
    /// scalar each time.
    fileprivate mutating func resume(_ text: [UInt8]) -> PatternProgram.Attempt {
        var possibility = untried.removeLast()
        if possibility.position > possibility.lowest {
            possibility.position = UTF8Text.start(in: text, before: possibility.position)
            if possibility.position > possibility.lowest { untried.append(possibility) }
        }
        return PatternProgram.Attempt(
            instruction: possibility.instruction, position: possibility.position)
    }
}
