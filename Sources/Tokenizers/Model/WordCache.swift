/// The tokens of pieces seen before in one call of `encode`: direct-mapped, of bounded size.
///
/// It lives as long as the call, so the tokenizer stays an immutable value that threads share, and
/// the result never depends on what was encoded earlier. Token ids are not stored but copied from
/// where the call put them first.
struct WordCache {
    private struct Entry {
        var hash = 0
        var wordCount = 0
        var idStart = 0
        var idCount = 0
    }

    /// 2^14 entries of 40 bytes: most of the words of a language, within a processor's cache.
    private static let entryCountMax = 1 << 14
    /// Longer pieces are rare and would fill the arena.
    private static let wordByteCountMax = 64

    private var entries: [Entry]
    /// The bytes of the cached words; a slot of fixed size per entry.
    private var words: [UInt8]

    /// - Parameter textByteCount: how much will be encoded; a short text gets a small cache.
    init(textByteCount: Int) {
        var count = 16
        while count < Self.entryCountMax, count < textByteCount / 4 { count *= 2 }
        entries = [Entry](repeating: Entry(), count: count)
        words = [UInt8](repeating: 0, count: count * Self.wordByteCountMax)
    }

    /// Copies the tokens of `text[piece]` from their first occurrence in `ids`; false when it is
    /// not known.
    @inline(__always)
    func appendKnown(_ text: [UInt8], _ piece: Range<Int>, to ids: inout [Int]) -> Bool {
        guard piece.count <= Self.wordByteCountMax else { return false }
        let hash = Vocabulary.hash(text, piece)
        let slot = hash & (entries.count - 1)
        let entry = entries[slot]
        guard entry.hash == hash, isWord(slot, entry.wordCount, text, piece) else { return false }
        for index in entry.idStart..<entry.idStart + entry.idCount { ids.append(ids[index]) }
        return true
    }

    /// Remembers that the tokens of `text[piece]` are the `idCount` from `idStart` of the call's
    /// ids.
    mutating func remember(_ text: [UInt8], _ piece: Range<Int>, idStart: Int, idCount: Int) {
        guard piece.count <= Self.wordByteCountMax else { return }
        let hash = Vocabulary.hash(text, piece)
        let slot = hash & (entries.count - 1)
        let base = slot * Self.wordByteCountMax
        for offset in 0..<piece.count { words[base + offset] = text[piece.lowerBound + offset] }
        entries[slot] = Entry(
            hash: hash, wordCount: piece.count, idStart: idStart, idCount: idCount)
    }

    private func isWord(_ slot: Int, _ count: Int, _ text: [UInt8], _ piece: Range<Int>) -> Bool {
        guard count == piece.count else { return false }
        let base = slot * Self.wordByteCountMax
        for offset in 0..<count where words[base + offset] != text[piece.lowerBound + offset] {
            return false
        }
        return true
    }
}
