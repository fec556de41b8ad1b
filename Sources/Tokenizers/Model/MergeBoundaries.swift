/// Where a merge can never cross, so that long text may be cut there without changing its tokens.
///
/// Ours: a merge of two tokens joins the last scalar of one with the first of the other. A pair of
/// neighbouring scalars that no merge joins stays apart. For English SentencePiece vocabularies
/// this cuts before every word, and the word cache works although there is no pre-tokenizer.
struct MergeBoundaries: Sendable {
    /// The joined pairs, as a merge table whose values mean nothing.
    private var joined = MergeTable(capacity: 1 << 12)

    /// Notes that a merge joins tokens that end and begin so. Neither may be empty.
    mutating func insert(left: ArraySlice<UInt8>, right: ArraySlice<UInt8>) {
        let left = Array(left)
        let last = UTF8Text.scalar(in: left, at: UTF8Text.start(in: left, before: left.count)).value
        let first = UTF8Text.scalar(in: Array(right), at: 0).value
        joined.insert(Int32(last), Int32(first), MergeTable.Merge(rank: 0, id: 0))
    }

    /// Cuts `text[piece]` wherever no merge can cross.
    func append(_ text: [UInt8], _ piece: Range<Int>, to pieces: inout [Range<Int>]) {
        guard !piece.isEmpty else { return }
        var start = piece.lowerBound
        var (left, width) = UTF8Text.scalar(in: text, at: start)
        var position = start + width
        while position < piece.upperBound {
            let right = UTF8Text.scalar(in: text, at: position)
            if joined.merge(Int32(left), Int32(right.value)) == nil {
                pieces.append(start..<position)
                start = position
            }
            left = right.value
            width = right.count
            position += width
        }
        pieces.append(start..<piece.upperBound)
    }
}
