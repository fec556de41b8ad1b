/// What a split or replacement looks for: a literal string or a regular expression.
///
/// Regular expressions run on our own matcher: it sees the same characters as Oniguruma, for which
/// the patterns were written, and works on UTF-8. `PatternParser` says which syntax it knows.
struct Pattern: Sendable {
    private enum Engine: Sendable {
        case literal([UInt8])
        case program(PatternProgram)
    }

    private let engine: Engine

    init(literal: [UInt8]) {
        precondition(!literal.isEmpty, "an empty literal matches everywhere")
        engine = .literal(literal)
    }

    /// Matches single scalars of `set`.
    init(_ set: ScalarSet) {
        engine = .program(PatternProgram(.scalar(set)))
    }

    /// Matches the longest run of scalars of the first set that has one.
    init(runsOf sets: [ScalarSet]) {
        let runs = sets.map { set in
            PatternSyntax.repeated(.scalar(set), range: 1...PatternSyntax.unbounded, mode: .greedy)
        }
        engine = .program(PatternProgram(.alternatives(runs)))
    }

    /// - Parameter expression: Oniguruma syntax.
    /// - Throws: `unsupported`, naming the construct that `PatternParser` does not know.
    init(expression: String, reporter: ErrorReporter) throws(TokenizerError) {
        guard expression.utf8.count <= TokenizerLimits.patternByteCount else {
            throw reporter.exceeded(
                "a regular expression of \(expression.utf8.count) bytes, the limit is "
                    + "\(TokenizerLimits.patternByteCount)")
        }
        do throws(PatternParser.Unsupported) {
            engine = .program(PatternProgram(try PatternParser.parse(expression)))
        } catch {
            throw reporter.unsupported(
                "the regular expression \(quoted(expression.utf8)) has \(error.construct)")
        }
    }

    /// Calls `body` with each match in order; matches do not overlap.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - range: the part to search, on scalar boundaries; anchors hold at its ends.
    func forEachMatch(
        in text: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void
    ) {
        switch engine {
        case .literal(let literal): Self.search(literal, text, range, body)
        case .program(let program): Self.search(program, text, range, body)
        }
    }

    private static func search(
        _ literal: [UInt8], _ text: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void
    ) {
        var position = range.lowerBound
        while position + literal.count <= range.upperBound {
            if text[position] == literal[0],
                text[position..<position + literal.count].elementsEqual(literal)
            {
                body(position..<position + literal.count)
                position += literal.count
            } else {
                position += 1
            }
        }
    }

    private static func search(
        _ program: PatternProgram, _ text: [UInt8], _ range: Range<Int>,
        _ body: (Range<Int>) -> Void
    ) {
        var stack = PatternProgram.Stack()
        var position = range.lowerBound
        while position < range.upperBound {
            let end = program.match(text, at: position, in: range, &stack)
            if let end { body(position..<end) }
            if let end, end > position {
                position = end
            } else {
                position += UTF8Text.scalar(in: text, at: position).count
            }
        }
    }
}
