/// A regular expression compiled to instructions for a backtracking matcher.
///
/// Alternatives are tried in order, as in Perl, Oniguruma and ICU. A repetition of one set is a
/// single instruction, so the patterns of published tokenizers match in time linear in the text.
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        /// One scalar of the set.
        case scalar(SetReference)
        /// As many scalars of the set as there are, at least `minimum`; gives back one at a time.
        case run(SetReference, minimum: Int, maximum: Int, isPossessive: Bool)
        /// Tries the next instruction, later `other`; straight to `other` when the text has an
        /// ASCII character that is not in `first`.
        case fork(other: Int, first: ASCIISet)
        /// Tries `other`, later the next instruction.
        case lazyFork(other: Int)
        case jump(Int)
        /// The instructions from the next one match here (or not); then goes on at `after`.
        case look(isNegated: Bool, after: Int)
        /// As `look`, from `width` scalars before.
        case lookBehind(width: Int, isNegated: Bool, after: Int)
        /// The first way in which the instructions from the next one match, for good.
        case atomic(after: Int)
        case textStart
        case textEnd
        case lineStart
        case lineEnd
        case wordBoundary(isNegated: Bool)
        case match
    }

    /// A `ScalarSet` whose ranges lie in `ranges`: an instruction without references is read
    /// without counting them.
    struct SetReference: Sendable {
        let ascii: ASCIISet
        let mask: UInt64
        let isNegated: Bool
        let rangeStart: Int32
        let rangeEnd: Int32
    }

    private(set) var instructions: [Instruction] = []
    /// The ranges of all sets; those of one set are sorted.
    private(set) var ranges: [ClosedRange<UInt32>] = []
    let properties = UnicodeProperties.shared

    /// Where to begin for each ASCII character that the text goes on with: behind the forks whose
    /// first way it rules out.
    private(set) var starts: [Int] = []

    init(_ syntax: PatternSyntax) {
        append(syntax)
        instructions.append(.match)
        starts = (UInt8(0)..<128).map { start(before: $0) }
    }

    private func start(before byte: UInt8) -> Int {
        var index = 0
        while case .fork(let other, let first) = instructions[index], !first.contains(byte) {
            index = other
        }
        return index
    }

    private mutating func append(_ syntax: PatternSyntax) {
        switch syntax {
        case .scalar(let set): instructions.append(.scalar(reference(set)))
        case .sequence(let parts): for part in parts { append(part) }
        case .alternatives(let parts): append(alternatives: parts[...])
        case .repeated(.scalar(let set), let range, let mode) where mode != .lazy:
            instructions.append(
                .run(
                    reference(set), minimum: range.lowerBound, maximum: range.upperBound,
                    isPossessive: mode == .possessive))
        case .repeated(let part, let range, .possessive):
            appendBracketed({ .atomic(after: $0) }, .repeated(part, range: range, mode: .greedy))
        case .repeated(let part, let range, let mode):
            append(part, range: range, isLazy: mode == .lazy)
        case .lookAhead(let part, let isNegated):
            appendBracketed({ .look(isNegated: isNegated, after: $0) }, part)
        case .lookBehind(let part, let width, let isNegated):
            appendBracketed(
                { .lookBehind(width: width, isNegated: isNegated, after: $0) }, part)
        case .textStart: instructions.append(.textStart)
        case .textEnd: instructions.append(.textEnd)
        case .lineStart: instructions.append(.lineStart)
        case .lineEnd: instructions.append(.lineEnd)
        case .wordBoundary(let isNegated):
            instructions.append(.wordBoundary(isNegated: isNegated))
        }
    }

    private mutating func append(alternatives: ArraySlice<PatternSyntax>) {
        guard let first = alternatives.first else { return }
        guard alternatives.count > 1 else { return append(first) }
        let fork = reserve()
        append(first)
        let jump = reserve()
        instructions[fork] = .fork(other: instructions.count, first: first.firstASCII)
        append(alternatives: alternatives.dropFirst())
        instructions[jump] = .jump(instructions.count)
    }

    private mutating func append(_ part: PatternSyntax, range: ClosedRange<Int>, isLazy: Bool) {
        for _ in 0..<range.lowerBound { append(part) }
        if range.upperBound == PatternSyntax.unbounded {
            let loop = instructions.count
            appendOptional(part, isLazy: isLazy, jumpBack: loop)
        } else {
            let optional = range.upperBound - range.lowerBound
            var forks: [Int] = []
            for _ in 0..<optional {
                forks.append(reserve())
                append(part)
            }
            for fork in forks { instructions[fork] = Self.fork(instructions.count, part, isLazy) }
        }
    }

    private mutating func appendOptional(_ part: PatternSyntax, isLazy: Bool, jumpBack: Int) {
        let fork = reserve()
        append(part)
        instructions.append(.jump(jumpBack))
        instructions[fork] = Self.fork(instructions.count, part, isLazy)
    }

    private static func fork(_ other: Int, _ part: PatternSyntax, _ isLazy: Bool) -> Instruction {
        isLazy ? .lazyFork(other: other) : .fork(other: other, first: part.firstASCII)
    }

    private mutating func appendBracketed(
        _ bracket: (Int) -> Instruction, _ part: PatternSyntax
    ) {
        let start = reserve()
        append(part)
        instructions.append(.match)
        instructions[start] = bracket(instructions.count)
    }

    private mutating func reference(_ set: ScalarSet) -> SetReference {
        let start = Int32(ranges.count)
        ranges += set.ranges.sorted { $0.lowerBound < $1.lowerBound }
        return SetReference(
            ascii: set.ascii, mask: set.mask, isNegated: set.isNegated, rangeStart: start,
            rangeEnd: Int32(ranges.count))
    }

    /// Room for a jump whose target is not known yet.
    private mutating func reserve() -> Int {
        instructions.append(.match)
        return instructions.count - 1
    }
}
