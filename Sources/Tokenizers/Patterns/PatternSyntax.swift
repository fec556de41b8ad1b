/// The syntax tree of a regular expression in the subset that tokenizers are published with.
indirect enum PatternSyntax: Sendable {
    /// One scalar of a set.
    case scalar(ScalarSet)
    case sequence([PatternSyntax])
    /// The first alternative that leads to a match wins.
    case alternatives([PatternSyntax])
    case repeated(PatternSyntax, range: ClosedRange<Int>, mode: Repetition)
    /// Zero width: what follows matches (or, negated, does not).
    case lookAhead(PatternSyntax, isNegated: Bool)
    /// Zero width: the `width` scalars before match (or, negated, do not).
    case lookBehind(PatternSyntax, width: Int, isNegated: Bool)
    case textStart
    case textEnd
    /// Ruby's `^` and `$`, which Oniguruma follows: at every line feed, not only at the ends.
    case lineStart
    case lineEnd
    /// `\b` (or, negated, `\B`).
    case wordBoundary(isNegated: Bool)

    enum Repetition: Sendable {
        case greedy, lazy, possessive
    }

    static let unbounded = Int.max

    /// Whether it can match nothing at all.
    var isNullable: Bool {
        switch self {
        case .scalar: false
        case .sequence(let parts): parts.allSatisfy(\.isNullable)
        case .alternatives(let parts): parts.contains(where: \.isNullable)
        case .repeated(let part, let range, _): range.lowerBound == 0 || part.isNullable
        case .lookAhead, .lookBehind, .textStart, .textEnd, .lineStart, .lineEnd, .wordBoundary:
            true
        }
    }

    /// The number of scalars of every match; nil when matches differ.
    var width: Int? {
        switch self {
        case .scalar: return 1
        case .sequence(let parts):
            var total = 0
            for part in parts {
                guard let width = part.width else { return nil }
                total += width
            }
            return total
        case .alternatives(let parts):
            let first = parts.first?.width
            return parts.allSatisfy { $0.width == first } ? first : nil
        case .repeated(let part, let range, _):
            guard range.lowerBound == range.upperBound else { return nil }
            return part.width.map { $0 * range.lowerBound }
        case .lookAhead, .lookBehind, .textStart, .textEnd, .lineStart, .lineEnd, .wordBoundary:
            return 0
        }
    }

    /// The ASCII characters that a match can begin with; all of them when it can match nothing.
    var firstASCII: ASCIISet {
        if isNullable { return .all }
        switch self {
        case .scalar(let set): return set.ascii
        case .alternatives(let parts):
            return parts.reduce(.none) { $0.union($1.firstASCII) }
        case .repeated(let part, _, _): return part.firstASCII
        case .sequence(let parts):
            var first = ASCIISet.none
            for part in parts {
                first = first.union(part.isNullable ? part.firstWhenNullable : part.firstASCII)
                if !part.isNullable { break }
            }
            return first
        case .lookAhead, .lookBehind, .textStart, .textEnd, .lineStart, .lineEnd, .wordBoundary:
            return .all
        }
    }

    /// What a non-empty match of a nullable part can begin with.
    private var firstWhenNullable: ASCIISet {
        switch self {
        case .repeated(let part, _, _) where !part.isNullable: part.firstASCII
        case .lookAhead, .lookBehind, .textStart, .textEnd, .lineStart, .lineEnd, .wordBoundary:
            .none
        default: .all
        }
    }
}
