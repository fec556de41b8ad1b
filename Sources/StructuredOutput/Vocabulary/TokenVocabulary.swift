package import Tokenizers

/// The tokens of a model by the bytes that they add to a text.
///
/// Special tokens and those without bytes are left out; a grammar that wants a special token names
/// it. Made once for a model and shared.
package struct TokenVocabulary: Sendable {
    /// Number of ids, of the model.
    package let count: Int
    /// By id; empty for what is left out.
    let bytes: [[UInt8]]
    /// The bytes that a token of their own spells.
    let singleBytes: ByteSet
    /// All tokens.
    let trie: TokenTrie
    /// Tokens of whole characters that stand for themselves in a JSON string.
    let plain: TokenSet
    /// The tokens that are not plain.
    let others: TokenTrie

    /// - Parameters:
    ///   - count: number of ids, at least that of the tokenizer's that may be drawn.
    ///   - excluded: the tokens that end an answer, where they are not special.
    /// - Complexity: O(vocabulary · log vocabulary): a tenth of a second for 128k tokens.
    package init(_ tokenizer: Tokenizer, count: Int, excluding excluded: Set<Int> = []) {
        let known = min(count, tokenizer.vocabularyCount)
        self.init(
            count: count,
            bytes: (0..<known).map { id in
                tokenizer.isSpecial(id) || excluded.contains(id) ? [] : tokenizer.bytes(of: id)
            })
    }

    /// - Parameter bytes: by id; empty for what is left out.
    init(count: Int, bytes: [[UInt8]]) {
        self.count = count
        self.bytes = bytes
        let tokens = bytes.enumerated().filter { !$1.isEmpty }.map { (id: $0, bytes: $1) }
        singleBytes = ByteSet(tokens.lazy.filter { $0.bytes.count == 1 }.map { $0.bytes[0] })
        trie = TokenTrie(tokens)
        var plain = TokenSet(count: count)
        for token in tokens where Self.isPlain(token.bytes) { plain.insert(token.id) }
        self.plain = plain
        others = TokenTrie(tokens.filter { !plain.contains($0.id) })
    }

    private static func isPlain(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            && String(validating: bytes, as: UTF8.self) != nil
    }
}
