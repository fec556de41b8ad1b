/// A set of token ids, one bit for each id of a vocabulary.
package struct TokenSet: Sendable, Equatable {
    /// Bit `id % 64` of word `id / 64` tells whether `id` is in the set.
    private var words: [UInt64]

    /// An empty set of ids below `count`.
    package init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

    /// Memory that the set takes.
    package var byteCount: Int { words.count * 8 }

    /// Whether there is no id in the set. O(words).
    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// The ids in ascending order. O(words + ids).
    package var ids: [Int] {
        var ids: [Int] = []
        for (index, word) in words.enumerated() {
            var left = word
            while left != 0 {
                ids.append(index * 64 + left.trailingZeroBitCount)
                left &= left - 1
            }
        }
        return ids
    }

    /// Whether `id` is in the set; ids beyond the vocabulary are not.
    package func contains(_ id: Int) -> Bool {
        let index = id >> 6
        return words.indices.contains(index) && words[index] & (1 << UInt64(id & 63)) != 0
    }

    /// The least id, or nil. O(words).
    package var first: Int? {
        words.firstIndex { $0 != 0 }.map { $0 * 64 + words[$0].trailingZeroBitCount }
    }

    /// Makes the scores of all other ids negative infinity.
    ///
    /// - Parameter scores: `[vocabulary]`, of at least as many ids as the set is about; what is
    ///   beyond these is not in the set.
    /// - Complexity: O(words + other ids).
    package func keep(in scores: inout [Float]) {
        for (index, word) in words.enumerated() {
            var missing = ~word
            while missing != 0 {
                let id = index * 64 + missing.trailingZeroBitCount
                guard id < scores.count else { break }
                scores[id] = -.infinity
                missing &= missing - 1
            }
        }
        for id in scores.indices.dropFirst(words.count * 64) { scores[id] = -.infinity }
    }

    /// Adds an id; one beyond the vocabulary is left out.
    package mutating func insert(_ id: Int) {
        guard words.indices.contains(id >> 6) else { return }
        words[id >> 6] |= 1 << UInt64(id & 63)
    }

    /// Adds the ids of another set of the same vocabulary. O(words).
    package mutating func formUnion(_ other: TokenSet) {
        precondition(words.count == other.words.count, "both sets are of one vocabulary")
        for index in words.indices { words[index] |= other.words[index] }
    }
}
