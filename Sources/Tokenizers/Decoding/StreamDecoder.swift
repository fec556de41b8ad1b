/// Turns token ids into text as they arrive.
///
/// Never emits half a character: bytes that may still become one are held back. All that `append`
/// and `finish` return, joined, equals `Tokenizer.decode` of all the ids, which is itself made with
/// this.
///
/// With byte fallback ("<0x41>" tokens) Hugging Face judges a run of byte tokens as a whole (one
/// invalid byte makes U+FFFD of each), so a run is held back until another token ends it.
package struct StreamDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let rules: DecodingRules
    private let skipsSpecialTokens: Bool
    private var isFirst = true
    /// Bytes of byte-level tokens that do not end on a character.
    private var pending: [UInt8] = []
    /// Byte tokens without an end so far.
    private var run: [UInt8] = []
    /// How many scalars each `stripStart` step may still remove; 0 once the text has begun.
    private var stripsLeft: [Int] = []

    /// - Parameter skippingSpecialTokens: whether special tokens are left out of the text.
    package init(_ tokenizer: Tokenizer, skippingSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        rules = tokenizer.decoding
        skipsSpecialTokens = skippingSpecialTokens
        stripsLeft = tokenizer.decoding.textSteps.map { step in
            if case .stripStart(_, let count) = step { count } else { 0 }
        }
    }

    /// The text that token `id` completes; often empty within a character of several tokens.
    ///
    /// An id without a token adds nothing.
    package mutating func append(_ id: Int) -> String {
        String(decoding: appendBytes(id), as: UTF8.self)
    }

    /// What was held back; an unfinished character becomes U+FFFD. Afterwards the decoder is spent.
    package mutating func finish() -> String {
        String(decoding: finishBytes(), as: UTF8.self)
    }

    /// Whole characters as UTF-8.
    mutating func appendBytes(_ id: Int) -> [UInt8] {
        guard tokenizer.hasToken(id), !(skipsSpecialTokens && tokenizer.isSpecial(id)) else {
            return []
        }
        let token = rules.text(of: tokenizer.spelling(of: id), isFirst: isFirst)
        let isSeparated = rules.joinsBySpaces && !isFirst
        isFirst = false
        switch rules.spelling {
        case .text: return applyTextSteps(isSeparated ? [0x20] + token : token)
        case .byteLevel: return wholeCharacters(ByteLevelAlphabet.bytes(spelledBy: token))
        case .byteFallback:
            if let byte = DecodingRules.byte(token[...]) {
                run.append(byte)
                return []
            }
            return applyTextSteps(run.isEmpty ? token : endRun() + token)
        }
    }

    mutating func finishBytes() -> [UInt8] {
        defer { pending = [] }
        return applyTextSteps(UTF8Text.repaired(pending) + endRun())
    }

    private mutating func wholeCharacters(_ bytes: [UInt8]) -> [UInt8] {
        let bytes = pending.isEmpty ? bytes : pending + bytes
        let held = UTF8Text.incompleteSuffixCount(bytes)
        pending = Array(bytes.suffix(held))
        return applyTextSteps(UTF8Text.repaired(held == 0 ? bytes : Array(bytes.dropLast(held))))
    }

    /// The run of byte tokens as text: all of it, or U+FFFD for each byte when it is not valid
    /// UTF-8.
    private mutating func endRun() -> [UInt8] {
        defer { run = [] }
        if UTF8Text.isValid(run) { return run }
        return [UInt8](String(repeating: "\u{FFFD}", count: run.count).utf8)
    }

    private mutating func applyTextSteps(_ characters: [UInt8]) -> [UInt8] {
        var text = characters
        for index in rules.textSteps.indices where !text.isEmpty {
            switch rules.textSteps[index] {
            case .replace(let scalar, let replacement):
                text = DecodingRules.replacing(scalar, with: replacement, in: text)
            case .stripStart(let scalar, _):
                while stripsLeft[index] > 0, text.starts(with: scalar) {
                    text.removeFirst(scalar.count)
                    stripsLeft[index] -= 1
                }
                if !text.isEmpty { stripsLeft[index] = 0 }
            }
        }
        return text
    }
}
