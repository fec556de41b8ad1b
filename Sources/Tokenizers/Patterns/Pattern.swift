import Foundation

/// What a split or replacement looks for: a literal string or a regular expression.
///
/// Regular expressions of the subset in `PatternParser`, to which those of published models belong,
/// run on our matcher; the rest fall back on ICU through Foundation, ten times slower.
struct Pattern: Sendable {
    private enum Engine: Sendable {
        case literal([UInt8])
        case program(PatternProgram)
        case foundation(NSRegularExpression)
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

    /// - Parameter expression: Oniguruma syntax.
    /// - Throws: `unsupported` when neither our matcher nor ICU knows a construct.
    init(expression: String, reporter: ErrorReporter) throws(TokenizerError) {
        guard expression.utf8.count <= TokenizerLimits.patternByteCount else {
            throw reporter.exceeded(
                "a regular expression of \(expression.utf8.count) bytes, the limit is "
                    + "\(TokenizerLimits.patternByteCount)")
        }
        do throws(PatternParser.Unsupported) {
            engine = .program(PatternProgram(try PatternParser.parse(expression)))
        } catch {
            guard
                let general = try? NSRegularExpression(
                    pattern: expression, options: .anchorsMatchLines)
            else {
                throw reporter.unsupported(
                    "the regular expression \(quoted(expression.utf8)) has \(error.construct)")
            }
            engine = .foundation(general)
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
        case .foundation(let expression): Self.search(expression, text, range, body)
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
        var matcher = PatternMatcher(program)
        var position = range.lowerBound
        while position < range.upperBound {
            let end = matcher.match(text, at: position, in: range)
            if let end { body(position..<end) }
            if let end, end > position {
                position = end
            } else {
                position += UTF8Text.scalar(in: text, at: position).count
            }
        }
    }

    private static func search(
        _ expression: NSRegularExpression, _ text: [UInt8], _ range: Range<Int>,
        _ body: (Range<Int>) -> Void
    ) {
        let string = String(decoding: text[range], as: UTF8.self)
        var index = string.startIndex
        var byteOffset = range.lowerBound
        var unitOffset = 0
        /// Byte offset of a UTF-16 offset; offsets only grow, so the walk is linear over all matches.
        func bytes(at units: Int) -> Int {
            let target = string.utf16.index(index, offsetBy: units - unitOffset)
            byteOffset += string.utf8.distance(from: index, to: target)
            (index, unitOffset) = (target, units)
            return byteOffset
        }
        let whole = NSRange(location: 0, length: string.utf16.count)
        for match in expression.matches(in: string, range: whole) {
            let start = bytes(at: match.range.location)
            body(start..<bytes(at: match.range.location + match.range.length))
        }
    }
}
