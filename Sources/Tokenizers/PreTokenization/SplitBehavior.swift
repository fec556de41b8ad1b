/// What becomes of the matches of a split (the five behaviours of Hugging Face's tokenizers).
enum SplitBehavior: String, Sendable, CaseIterable {
    /// Matches are dropped.
    case removed = "Removed"
    /// Each match is a piece of its own.
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    /// Neighbouring matches are one piece.
    case contiguous = "Contiguous"
}

/// Cuts text into pieces at the matches of a pattern.
struct Split: Sendable {
    let pattern: Pattern
    let behavior: SplitBehavior
    /// Whether what does not match is taken for the matches.
    var isInverted = false

    /// Appends the non-empty pieces of `text[range]`, in order.
    func append(_ text: [UInt8], _ range: Range<Int>, to pieces: inout [Range<Int>]) {
        var joiner = PieceJoiner(behavior: behavior, firstPiece: pieces.count)
        var end = range.lowerBound
        pattern.forEachMatch(in: text, range) { match in
            if match.lowerBound > end {
                joiner.add(end..<match.lowerBound, isMatch: isInverted, to: &pieces)
            }
            if !match.isEmpty { joiner.add(match, isMatch: !isInverted, to: &pieces) }
            end = match.upperBound
        }
        if end < range.upperBound {
            joiner.add(end..<range.upperBound, isMatch: isInverted, to: &pieces)
        }
    }
}

/// Joins matches with their neighbours as the behaviour says.
private struct PieceJoiner {
    let behavior: SplitBehavior
    /// Where this split's own pieces begin in the list.
    let firstPiece: Int
    /// Whether the last range was a match; nil before the first.
    private var wasMatch: Bool?

    init(behavior: SplitBehavior, firstPiece: Int) {
        self.behavior = behavior
        self.firstPiece = firstPiece
    }

    mutating func add(_ range: Range<Int>, isMatch: Bool, to pieces: inout [Range<Int>]) {
        defer { wasMatch = isMatch }
        let joins: Bool
        switch behavior {
        case .removed:
            if !isMatch { pieces.append(range) }
            return
        case .isolated: joins = false
        case .mergedWithPrevious: joins = isMatch && wasMatch != true
        case .mergedWithNext: joins = wasMatch == true && !isMatch
        case .contiguous: joins = wasMatch == isMatch
        }
        if joins, pieces.count > firstPiece {
            pieces[pieces.count - 1] = pieces[pieces.count - 1].lowerBound..<range.upperBound
        } else {
            pieces.append(range)
        }
    }
}
