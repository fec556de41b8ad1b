import OrderedJSON

/// Why a tokenizer could not be read. One line of text that names the file, the field and the
/// limit.
package struct TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of failure this is; for callers that react differently to each.
    package enum Code: Sendable {
        /// The file breaks its own format: JSON syntax, a field's type, a missing field.
        case malformed
        /// The file is sound, but asks for something that is not implemented here.
        case unsupported
        /// A value exceeds one of `TokenizerLimits`.
        case limitExceeded
        /// Two parts of the file contradict each other: a duplicate id, a merge of unknown tokens.
        case inconsistent
    }

    package let code: Code
    package let message: String

    /// One line: what is wrong where, and what to do.
    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}

/// Limits on everything that is read from a tokenizer file.
package enum TokenizerLimits {
    /// The largest published vocabularies have 2.6e5 entries; 2^22 keeps ids far below `Int32.max`.
    package static let vocabularyCount = 1 << 22
    /// Published tokens are below 1 KiB. Longer ones would make a trie or a merge table explode.
    package static let tokenByteCount = 64 << 10
    /// SentencePiece merges are found by cutting each token everywhere, quadratic in its length.
    package static let sentencePieceTokenByteCount = 1 << 10
    /// The largest published tokenizer.json files are 35 MB.
    package static let fileByteCount = 256 << 20
    /// Published files nest 8 deep; the reader recurses, so depth costs stack.
    package static let nestingDepth = 64
    /// The largest published files have 2 million values; a merge is a list with two texts.
    package static let valueCount = 1 << 24
    /// A sequence of normalizers, pre-tokenizers or decoders; published ones have at most 8 steps.
    package static let stepCount = 64
    /// Bytes of a regular expression; the longest published one is below 2 KiB.
    package static let patternByteCount = 16 << 10

    /// A tokenizer.json as JSON. Half a surrogate pair is no token that a text could ever have.
    static let json = JSONRules(
        byteCount: fileByteCount, depth: nestingDepth, valueCount: valueCount,
        refusals: .loneSurrogates)
}

/// Builds errors that begin with the same file name.
struct ErrorReporter: Sendable {
    let file: String

    func malformed(_ text: String) -> TokenizerError { make(.malformed, text) }
    func unsupported(_ text: String) -> TokenizerError { make(.unsupported, text) }
    func exceeded(_ text: String) -> TokenizerError { make(.limitExceeded, text) }
    func inconsistent(_ text: String) -> TokenizerError { make(.inconsistent, text) }

    private func make(_ code: TokenizerError.Code, _ text: String) -> TokenizerError {
        TokenizerError(code: code, message: "\(file): \(text)")
    }
}

/// At most 40 characters of `bytes`, on one line, for an error message.
func quoted(_ bytes: some Collection<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(40), as: UTF8.self)
    let visible = text.unicodeScalars.map { $0.value < 0x20 ? "?" : String($0) }.joined()
    return "\"\(visible)\(bytes.count > 40 ? "…" : "")\""
}
