/// Byte-pair encoding of one piece of text: neighbouring tokens merge, lowest rank first, leftmost
/// first among equals (Sennrich et al., 2016, "Neural Machine Translation of Rare Words with
/// Subword Units", section 3.2).
struct BytePairEncoding: Sendable {
    /// What a piece is made of before the first merge.
    enum Alphabet: Sendable {
        /// A token per byte: ids by byte, -1 where the vocabulary has none (such a byte is
        /// dropped).
        case bytes([Int32])
        /// A token per Unicode scalar, else its bytes' tokens, else the unknown token.
        case scalars(ScalarAlphabet)
    }

    var vocabulary: Vocabulary
    let merges: MergeTable
    /// Ids by byte, -1 where the vocabulary has none; used when `scalars` is nil.
    private let byteIDs: [Int32]
    let scalars: ScalarAlphabet?
    /// Whether a piece that is a token as a whole is that token, whatever the merges say.
    let ignoresMerges: Bool

    /// Above this many symbols the heap wins over searching for the best pair each time.
    private static let shortCount = 48

    init(
        vocabulary: Vocabulary, merges: MergeTable, alphabet: Alphabet, ignoresMerges: Bool
    ) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.ignoresMerges = ignoresMerges
        switch alphabet {
        case .bytes(let ids):
            byteIDs = ids
            scalars = nil
        case .scalars(let alphabet):
            byteIDs = []
            scalars = alphabet
        }
    }

    /// Appends the tokens of `text[piece]`.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - work: scratch space that calls share.
    /// - Complexity: O(n log n) for n bytes; no allocation for short pieces.
    func encode(_ text: [UInt8], _ piece: Range<Int>, _ work: inout Workspace, to ids: inout [Int])
    {
        if ignoresMerges, let id = wholeToken(text, piece) { return ids.append(id) }
        work.symbols.removeAll(keepingCapacity: true)
        appendSymbols(text, piece, to: &work.symbols)
        if work.symbols.count <= Self.shortCount {
            mergeShort(&work)
        } else {
            var queue = MergeQueue(work.symbols, merges)
            work.symbols = queue.mergeAll()
        }
        for symbol in work.symbols { ids.append(Int(symbol)) }
    }

    /// Scratch space of `encode`.
    struct Workspace {
        fileprivate var symbols: [Int32] = []
        fileprivate var pairs: [MergeTable.Merge] = []
    }

    private func wholeToken(_ text: [UInt8], _ piece: Range<Int>) -> Int? {
        guard scalars == nil else { return vocabulary.modelID(of: text, piece) }
        let spelled = ByteLevelAlphabet.spelled(text[piece])
        return vocabulary.modelID(of: spelled, 0..<spelled.count)
    }

    private func appendSymbols(
        _ text: [UInt8], _ piece: Range<Int>, to symbols: inout [Int32]
    ) {
        if let scalars {
            return scalars.append(text, piece, vocabulary, to: &symbols)
        }
        for index in piece {
            let id = byteIDs[Int(text[index])]
            if id >= 0 { symbols.append(id) }
        }
    }

    /// Repeatedly merges the best pair, found by search: quadratic, but without bookkeeping.
    private func mergeShort(_ work: inout Workspace) {
        let none = MergeTable.Merge(rank: .max, id: -1)
        work.pairs.removeAll(keepingCapacity: true)
        guard work.symbols.count > 1 else { return }
        for index in 0..<work.symbols.count - 1 {
            work.pairs.append(merges.merge(work.symbols[index], work.symbols[index + 1]) ?? none)
        }
        while true {
            var best = none
            var position = 0
            for index in 0..<work.pairs.count where work.pairs[index].rank < best.rank {
                best = work.pairs[index]
                position = index
            }
            guard best.id >= 0 else { return }
            work.symbols[position] = best.id
            work.symbols.remove(at: position + 1)
            work.pairs.remove(at: position)
            if position > 0 {
                let left = work.symbols[position - 1]
                work.pairs[position - 1] = merges.merge(left, best.id) ?? none
            }
            if position < work.pairs.count {
                let right = work.symbols[position + 1]
                work.pairs[position] = merges.merge(best.id, right) ?? none
            }
        }
    }
}
