/// Parses a regular expression (Oniguruma syntax) into `PatternSyntax`.
///
/// Known: literals, classes with ranges and `\p{category}`, `\s \S \d \D \w \W`, the usual escapes,
/// `.`, groups `(…)`, `(?:…)`, `(?i:…)` over ASCII letters, `(?i)` at the start, look-ahead,
/// `^ $ \A \z`, and the quantifiers `? * + {m,n}` with `?` (lazy) and `+` (possessive).
/// Anything else throws `Unsupported`, and the caller falls back on a general engine.
struct PatternParser {
    /// The construct that is not known here.
    struct Unsupported: Error {
        let construct: String
    }

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var ignoresCase = false
    private var depth = 0

    static func parse(_ pattern: String) throws(Unsupported) -> PatternSyntax {
        var parser = PatternParser(scalars: Array(pattern.unicodeScalars))
        let syntax = try parser.alternatives()
        guard parser.position == parser.scalars.count else { throw Unsupported(construct: ")") }
        return syntax
    }

    private init(scalars: [Unicode.Scalar]) {
        self.scalars = scalars
    }

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func isNext(_ text: StaticString) -> Bool {
        scalars[position...].starts(with: "\(text)".unicodeScalars)
    }

    private mutating func consume(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        position += "\(text)".unicodeScalars.count
        return true
    }

    private mutating func next() throws(Unsupported) -> Unicode.Scalar {
        guard let scalar = current else { throw Unsupported(construct: "an unfinished pattern") }
        position += 1
        return scalar
    }

    private mutating func alternatives() throws(Unsupported) -> PatternSyntax {
        depth += 1
        guard depth <= TokenizerLimits.nestingDepth else {
            throw Unsupported(construct: "groups nested deeper than \(TokenizerLimits.nestingDepth)")
        }
        var parts = [try sequence()]
        while consume("|") { parts.append(try sequence()) }
        depth -= 1
        return parts.count == 1 ? parts[0] : .alternatives(parts)
    }

    private mutating func sequence() throws(Unsupported) -> PatternSyntax {
        var parts: [PatternSyntax] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            if consume("(?i)") {
                ignoresCase = true
                continue
            }
            parts.append(try quantified(try atom()))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func atom() throws(Unsupported) -> PatternSyntax {
        switch try next() {
        case "(": return try group()
        case "[": return .scalar(try characterClass())
        case ".": return .scalar(ScalarSet.newline.inverted)
        case "^": return .lineStart
        case "$": return .lineEnd
        case "\\":
            if consume("A") { return .textStart }
            if consume("z") { return .textEnd }
            return .scalar(try escape())
        case "*", "+", "?", "{": throw Unsupported(construct: "a quantifier of nothing")
        case let scalar: return .scalar(try literal(scalar))
        }
    }

    private mutating func group() throws(Unsupported) -> PatternSyntax {
        let outerCase = ignoresCase
        var negatedLook: Bool?
        if consume("?:") {
        } else if consume("?i:") {
            ignoresCase = true
        } else if consume("?=") {
            negatedLook = false
        } else if consume("?!") {
            negatedLook = true
        } else if isNext("?") {
            let kind = String(String.UnicodeScalarView(scalars[position...].prefix(3)))
            throw Unsupported(construct: "(" + kind)
        }
        let body = try alternatives()
        guard consume(")") else { throw Unsupported(construct: "a group without end") }
        ignoresCase = outerCase
        return negatedLook.map { .lookAhead(body, isNegated: $0) } ?? body
    }

    private mutating func quantified(_ atom: PatternSyntax) throws(Unsupported) -> PatternSyntax {
        guard let range = try quantifier() else { return atom }
        var mode = PatternSyntax.Repetition.greedy
        if consume("?") { mode = .lazy } else if consume("+") { mode = .possessive }
        if let scalar = current, "*+?".unicodeScalars.contains(scalar) {
            throw Unsupported(construct: "a quantifier of a quantifier")
        }
        if range.upperBound == PatternSyntax.unbounded, atom.isNullable {
            throw Unsupported(construct: "an endless repetition of something empty")
        }
        return .repeated(atom, range: range, mode: mode)
    }

    private mutating func quantifier() throws(Unsupported) -> ClosedRange<Int>? {
        if consume("?") { return 0...1 }
        if consume("*") { return 0...PatternSyntax.unbounded }
        if consume("+") { return 1...PatternSyntax.unbounded }
        guard consume("{") else { return nil }
        let lower = try count()
        var upper = lower
        if consume(",") { upper = isNext("}") ? PatternSyntax.unbounded : try count() }
        guard consume("}"), lower <= upper else { throw Unsupported(construct: "{") }
        return lower...upper
    }

    /// Counted repetitions are unrolled, so they are kept small.
    private mutating func count() throws(Unsupported) -> Int {
        var digits = ""
        while let scalar = current, ("0"..."9").contains(scalar) {
            digits.unicodeScalars.append(scalar)
            position += 1
        }
        guard let count = Int(digits), count <= 100 else {
            throw Unsupported(construct: "a repetition count above 100")
        }
        return count
    }

    private func literal(_ scalar: Unicode.Scalar) throws(Unsupported) -> ScalarSet {
        let value = scalar.value
        let single = ScalarSet(ranges: [value...value])
        guard ignoresCase else { return single }
        guard scalar.isASCII else {
            throw Unsupported(construct: "ignoring the case of \(scalar)")
        }
        guard scalar.properties.isAlphabetic else { return single }
        let other = value ^ 0x20
        // Simple case folding makes these two equal to an ASCII letter.
        let folded: [ClosedRange<UInt32>] =
            switch value | 0x20 {
            case 0x73: [0x17F...0x17F]
            case 0x6B: [0x212A...0x212A]
            default: []
            }
        return ScalarSet(ranges: [value...value, other...other] + folded)
    }

    private mutating func escape() throws(Unsupported) -> ScalarSet {
        let scalar = try next()
        switch scalar {
        case "s": return .whiteSpace
        case "S": return ScalarSet.whiteSpace.inverted
        case "d": return .digit
        case "D": return ScalarSet.digit.inverted
        case "w": return .word
        case "W": return ScalarSet.word.inverted
        case "p": return try property()
        case "P": return try property().inverted
        default:
            let value = try escapedScalar(scalar).value
            return ScalarSet(ranges: [value...value])
        }
    }

    private mutating func escapedScalar(
        _ scalar: Unicode.Scalar
    ) throws(Unsupported) -> Unicode.Scalar {
        switch scalar {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "f": return "\u{0C}"
        case "v": return "\u{0B}"
        case "x": return try hexadecimal(consume("{") ? nil : 2)
        case "u": return try hexadecimal(4)
        default:
            guard scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar)
            else { throw Unsupported(construct: "\\\(scalar)") }
            return scalar
        }
    }

    /// `count` digits, or digits up to a closing brace.
    private mutating func hexadecimal(_ count: Int?) throws(Unsupported) -> Unicode.Scalar {
        var digits = ""
        while digits.count < count ?? 8, let scalar = current, scalar.properties.isASCIIHexDigit {
            digits.unicodeScalars.append(scalar)
            position += 1
        }
        guard count.map({ $0 == digits.count }) ?? consume("}"),
            let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value)
        else { throw Unsupported(construct: "a hexadecimal escape") }
        return scalar
    }

    private mutating func property() throws(Unsupported) -> ScalarSet {
        guard consume("{") else { throw Unsupported(construct: "\\p without {") }
        let isNegated = consume("^")
        var name = ""
        while let scalar = current, scalar != "}" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        _ = consume("}")
        guard let set = Self.properties(name) else { throw Unsupported(construct: "\\p{\(name)}") }
        return isNegated ? set.inverted : set
    }

    private static func properties(_ name: String) -> ScalarSet? {
        guard name.count <= 2, UnicodeProperties.categoryMask(name) != 0 else { return nil }
        return .category(name)
    }

    private mutating func characterClass() throws(Unsupported) -> ScalarSet {
        let isNegated = consume("^")
        var set = ScalarSet()
        while let scalar = current, scalar != "]" {
            if isNext("[") || isNext("&&") {
                throw Unsupported(construct: "a class within a class")
            }
            let item = try classItem()
            guard set.isUnionable, item.isUnionable else {
                throw Unsupported(construct: "a class of complements")
            }
            set = set.union(item)
        }
        guard consume("]"), set != ScalarSet() else { throw Unsupported(construct: "[") }
        return isNegated ? set.inverted : set
    }

    private mutating func classItem() throws(Unsupported) -> ScalarSet {
        guard let lower = try classBound() else { return try escape() }
        guard isNext("-"), position + 1 < scalars.count, scalars[position + 1] != "]" else {
            return try literal(lower)
        }
        position += 1
        guard let upper = try classBound(), lower <= upper else {
            throw Unsupported(construct: "a range in a class")
        }
        guard !ignoresCase else { throw Unsupported(construct: "a range that ignores case") }
        return ScalarSet(ranges: [lower.value...upper.value])
    }

    /// A single scalar of a class; nil (and the backslash consumed) before `\s`, `\p{…}` and so on.
    private mutating func classBound() throws(Unsupported) -> Unicode.Scalar? {
        let scalar = try next()
        guard scalar == "\\" else { return scalar }
        if let letter = current, "sSdDwWpP".unicodeScalars.contains(letter) { return nil }
        return try escapedScalar(try next())
    }
}
