/// Parses a regular expression (Oniguruma syntax) into `PatternSyntax`.
///
/// Known: literals, classes with ranges, nested classes, `&&` and `\p{…}`, `\s \S \d \D \w \W`, the
/// usual escapes, `.`, groups `(…)`, `(?:…)`, `(?>…)`, `(?i:…)` over ASCII letters, `(?i)` at the
/// start, look-ahead, look-behind of fixed length, `^ $ \A \z \b \B`, and the quantifiers `? * +
/// {m,n}` with `?` (lazy) and `+` (possessive). Anything else throws `Unsupported`.
struct PatternParser {
    /// The construct that is not known here.
    struct Unsupported: Error {
        let construct: String
    }

    let scalars: [Unicode.Scalar]
    var position = 0
    var ignoresCase = false
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

    var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    func isNext(_ text: StaticString) -> Bool {
        scalars[position...].starts(with: "\(text)".unicodeScalars)
    }

    mutating func consume(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        position += "\(text)".unicodeScalars.count
        return true
    }

    mutating func next() throws(Unsupported) -> Unicode.Scalar {
        guard let scalar = current else { throw Unsupported(construct: "an unfinished pattern") }
        position += 1
        return scalar
    }

    private mutating func alternatives() throws(Unsupported) -> PatternSyntax {
        depth += 1
        guard depth <= TokenizerLimits.nestingDepth else {
            throw Unsupported(
                construct: "groups nested deeper than \(TokenizerLimits.nestingDepth)")
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
        case "[": return .scalar(try characterClass(depth: 1))
        case ".": return .scalar(ScalarSet.newline.inverted)
        case "^": return .lineStart
        case "$": return .lineEnd
        case "\\":
            if consume("A") { return .textStart }
            if consume("z") { return .textEnd }
            if consume("b") { return .wordBoundary(isNegated: false) }
            if consume("B") { return .wordBoundary(isNegated: true) }
            return .scalar(try escape())
        case "*", "+", "?", "{": throw Unsupported(construct: "a quantifier of nothing")
        case let scalar: return .scalar(try literal(scalar))
        }
    }

    private mutating func group() throws(Unsupported) -> PatternSyntax {
        let outerCase = ignoresCase
        let kind = try groupKind()
        if kind == .ignoringCase { ignoresCase = true }
        let body = try alternatives()
        guard consume(")") else { throw Unsupported(construct: "a group without end") }
        ignoresCase = outerCase
        switch kind {
        case .plain, .ignoringCase: return body
        case .atomic: return .repeated(body, range: 1...1, mode: .possessive)
        case .lookAhead(let isNegated): return .lookAhead(body, isNegated: isNegated)
        case .lookBehind(let isNegated):
            guard let width = body.width else {
                throw Unsupported(construct: "a look-behind of variable length")
            }
            return .lookBehind(body, width: width, isNegated: isNegated)
        }
    }

    private enum GroupKind: Equatable {
        case plain, ignoringCase, atomic
        case lookAhead(isNegated: Bool)
        case lookBehind(isNegated: Bool)
    }

    private mutating func groupKind() throws(Unsupported) -> GroupKind {
        guard consume("?") else { return .plain }
        if consume(":") { return .plain }
        if consume("i:") { return .ignoringCase }
        if consume(">") { return .atomic }
        if consume("=") { return .lookAhead(isNegated: false) }
        if consume("!") { return .lookAhead(isNegated: true) }
        if consume("<=") { return .lookBehind(isNegated: false) }
        if consume("<!") { return .lookBehind(isNegated: true) }
        let kind = String(String.UnicodeScalarView(scalars[position...].prefix(2)))
        throw Unsupported(construct: "(?" + kind)
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

    func literal(_ scalar: Unicode.Scalar) throws(Unsupported) -> ScalarSet {
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

    mutating func escape() throws(Unsupported) -> ScalarSet {
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

    mutating func escapedScalar(
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
}
