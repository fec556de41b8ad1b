/// The merges that SentencePiece's scores imply: wherever a token can be cut into two tokens, those
/// merge, and the token with the highest score comes first.
///
/// SentencePiece's own algorithm (Kudo and Richardson, 2018) merges whichever neighbours form the
/// best-scored token, leftmost first among equals; equal scores share a rank here.
enum ScoredMerges {
    static func make(
        _ tokens: [[UInt8]], _ scores: [Float], _ vocabulary: Vocabulary, _ reporter: ErrorReporter
    ) throws(TokenizerError) -> (table: MergeTable, boundaries: MergeBoundaries) {
        guard scores.count == tokens.count else {
            throw reporter.inconsistent(
                "tokenizer.ggml.scores has \(scores.count) entries, tokens \(tokens.count)")
        }
        guard scores.allSatisfy(\.isFinite) else {
            throw reporter.malformed("tokenizer.ggml.scores has one that is not finite")
        }
        let ranks = ranks(scores)
        var table = MergeTable(capacity: tokens.count * 2)
        var boundaries = MergeBoundaries()
        for (id, token) in tokens.enumerated() {
            guard token.count <= TokenizerLimits.sentencePieceTokenByteCount else {
                throw reporter.exceeded(
                    "tokenizer.ggml.tokens[\(id)] has \(token.count) bytes, the limit here is "
                        + "\(TokenizerLimits.sentencePieceTokenByteCount)")
            }
            for cut in token.indices.dropFirst() where token[cut] & 0xC0 != 0x80 {
                guard let left = vocabulary.id(of: token, 0..<cut),
                    let right = vocabulary.id(of: token, cut..<token.count)
                else { continue }
                let merge = MergeTable.Merge(rank: ranks[id], id: Int32(id))
                table.insert(Int32(left), Int32(right), merge)
                boundaries.insert(left: token[..<cut], right: token[cut...])
            }
        }
        return (table, boundaries)
    }

    /// 0 for the highest score; equal scores have equal ranks.
    private static func ranks(_ scores: [Float]) -> [Int32] {
        var ranks = [Int32](repeating: 0, count: scores.count)
        var rank: Int32 = 0
        var previous: Float?
        for id in scores.indices.sorted(by: { scores[$0] > scores[$1] }) {
            if let previous, scores[id] != previous { rank += 1 }
            previous = scores[id]
            ranks[id] = rank
        }
        return ranks
    }
}
