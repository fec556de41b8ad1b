/// Turns text into the token ids of a model and back.
///
/// Read from a Hugging Face `tokenizer.json` or from the vocabulary in a GGUF file. An immutable
/// value (the begin and end ids aside): threads may share it. Ids and texts agree with Hugging
/// Face's `tokenizers` library; no string is ever compared by Unicode equivalence.
package struct Tokenizer: Sendable {
    /// The token that begins a text; nil when the file does not say.
    package var beginOfTextID: Int?
    /// The tokens that end an answer.
    package var endOfTextIDs: Set<Int> = []
    /// Whether a model expects `beginOfTextID` in front. `encode` never adds it.
    package var addsBeginOfText = false

    /// What a file format fills in.
    struct Parts: Sendable {
        var normalizer = Normalizer()
        var preTokenizer = PreTokenizer()
        var model: BytePairEncoding
        /// Cuts pieces further without changing tokens; nil where that is not certain.
        var boundaries: MergeBoundaries?
        var decoding = DecodingRules()
        var addedTokens: [AddedToken] = []
    }

    let decoding: DecodingRules
    private let normalizer: Normalizer
    private let preTokenizer: PreTokenizer
    let model: BytePairEncoding
    private let boundaries: MergeBoundaries?
    private var rawMatcher = AddedTokenMatcher()
    private var normalizedMatcher = AddedTokenMatcher()
    private var specialIDs: Set<Int> = []
    /// What added tokens decode to where normalization changes them.
    private var normalizedSpellings: [Int: [UInt8]] = [:]

    /// - Precondition: every added token is in `parts.model.vocabulary`.
    init(_ parts: Parts) {
        decoding = parts.decoding
        normalizer = parts.normalizer
        preTokenizer = parts.preTokenizer
        model = parts.model
        boundaries = parts.boundaries
        for token in parts.addedTokens {
            if token.isSpecial { specialIDs.insert(token.id) }
            if token.isNormalized {
                let spelling = normalizer.normalize(token.content)
                normalizedMatcher.insert(token, spelling: spelling)
                if spelling != token.content { normalizedSpellings[token.id] = spelling }
            } else {
                rawMatcher.insert(token, spelling: token.content)
            }
        }
    }

    /// The highest id plus one.
    package var vocabularyCount: Int { model.vocabulary.count }

    /// The ids of `text`, without begin and end tokens.
    ///
    /// Added tokens in the text ("<|im_end|>") are recognised: text from a user that must not
    /// contain them has to be checked by the caller.
    ///
    /// - Complexity: O(n log n) for n bytes in one piece, O(n) for text of short words.
    package func encode(_ text: String) -> [Int] {
        encode(valid: Array(text.utf8))
    }

    /// The ids of `bytes`; each maximal invalid part of UTF-8 is read as one U+FFFD, as
    /// `String(decoding:as:)` does (Unicode Standard, section 3.9).
    package func encode(bytes: [UInt8]) -> [Int] {
        encode(valid: UTF8Text.repaired(bytes))
    }

    /// The text of `ids`; ids without a token are left out, invalid UTF-8 becomes U+FFFD.
    package func decode(_ ids: [Int], skippingSpecialTokens: Bool) -> String {
        var decoder = StreamDecoder(self, skippingSpecialTokens: skippingSpecialTokens)
        var text: [UInt8] = []
        for id in ids { text += decoder.appendBytes(id) }
        text += decoder.finishBytes()
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that token `id` adds to a text in the middle, which may be part of a character;
    /// empty for an id without a token.
    package func bytes(of id: Int) -> [UInt8] {
        let token = decoding.text(of: spelling(of: id), isFirst: false)
        switch decoding.spelling {
        case .byteLevel: return ByteLevelAlphabet.bytes(spelledBy: token)
        case .byteFallback:
            if let byte = DecodingRules.byte(token[...]) { return [byte] }
        case .text: break
        }
        return decoding.textSteps.reduce(token) { text, step in
            guard case .replace(let scalar, let replacement) = step else { return text }
            return DecodingRules.replacing(scalar, with: replacement, in: text)
        }
    }

    /// Whether the token is left out by `decode(_:skippingSpecialTokens: true)`.
    package func isSpecial(_ id: Int) -> Bool { specialIDs.contains(id) }

    /// The id of the token that is spelled exactly so in the file.
    package func id(ofToken token: String) -> Int? {
        model.vocabulary.id(of: Array(token.utf8))
    }

    func hasToken(_ id: Int) -> Bool { model.vocabulary.contains(id) }

    /// The token as the file spells it; normalized for added tokens that are looked for so.
    func spelling(of id: Int) -> [UInt8] {
        normalizedSpellings[id] ?? Array(model.vocabulary[id])
    }

    private func encode(valid text: [UInt8]) -> [Int] {
        var state = EncodingState(cache: WordCache(textByteCount: text.count))
        guard !rawMatcher.isEmpty else {
            encodeRest(text, isFirst: true, &state)
            return state.ids
        }
        for part in rawMatcher.parts(text) {
            if let id = part.id {
                state.ids.append(id)
            } else {
                let rest = part.range.count == text.count ? text : Array(text[part.range])
                encodeRest(rest, isFirst: part.range.lowerBound == 0, &state)
            }
        }
        return state.ids
    }

    /// What the pieces of one call share.
    private struct EncodingState {
        var ids: [Int] = []
        var cache: WordCache
        var work = BytePairEncoding.Workspace()
    }

    /// Encodes what lies between raw added tokens.
    private func encodeRest(_ text: [UInt8], isFirst: Bool, _ state: inout EncodingState) {
        let normalized = normalizer.normalize(text)
        guard !normalizedMatcher.isEmpty else {
            return encodePieces(normalized, isFirst: isFirst, &state)
        }
        for part in normalizedMatcher.parts(normalized) {
            if let id = part.id {
                state.ids.append(id)
            } else {
                let isFirst = isFirst && part.range.lowerBound == 0
                encodePieces(Array(normalized[part.range]), isFirst: isFirst, &state)
            }
        }
    }

    private func encodePieces(_ text: [UInt8], isFirst: Bool, _ state: inout EncodingState) {
        var text = text
        var pieces = preTokenizer.pieces(&text, isFirst: isFirst)
        if let boundaries {
            var cut: [Range<Int>] = []
            for piece in pieces { boundaries.append(text, piece, to: &cut) }
            pieces = cut
        }
        for piece in pieces { encodePiece(text, piece, &state) }
    }

    @inline(__always)
    private func encodePiece(_ text: [UInt8], _ piece: Range<Int>, _ state: inout EncodingState) {
        if state.cache.appendKnown(text, piece, to: &state.ids) { return }
        let start = state.ids.count
        model.encode(text, piece, &state.work, to: &state.ids)
        state.cache.remember(text, piece, idStart: start, idCount: state.ids.count - start)
    }
}
