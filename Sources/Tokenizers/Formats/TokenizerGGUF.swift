extension Tokenizer {
    /// Makes the tokenizer that a GGUF file describes.
    ///
    /// - Throws: `TokenizerError` for an unknown model or pre-tokenizer (with the known ones),
    ///   merges of unknown tokens, ids without a token, and exceeded limits.
    /// - Complexity: O(bytes) for "gpt2"; for "llama" each token is looked up at every cut.
    package init(vocabulary: GGUFVocabulary) throws(TokenizerError) {
        let reader = GGUFTokenizerReader(
            source: vocabulary, reporter: ErrorReporter(file: vocabulary.file))
        self.init(try reader.parts())
        let isSentencePiece = vocabulary.model == "llama"
        beginOfTextID = try reader.known(vocabulary.beginOfTextID, "bos_token_id")
        addsBeginOfText = vocabulary.addsBeginOfText ?? isSentencePiece
        for id in [
            try reader.known(vocabulary.endOfTextID, "eos_token_id"),
            try reader.known(vocabulary.endOfTurnID, "eot_token_id"),
        ] {
            if let id { endOfTextIDs.insert(id) }
        }
    }
}

/// Builds a tokenizer's parts from a GGUF vocabulary.
struct GGUFTokenizerReader {
    let source: GGUFVocabulary
    let reporter: ErrorReporter

    func parts() throws(TokenizerError) -> Tokenizer.Parts {
        try checkLimits()
        let vocabulary = try readVocabulary()
        var parts =
            switch source.model {
            case "gpt2": try byteLevelParts(vocabulary)
            case "llama": try sentencePieceParts(vocabulary)
            default:
                throw reporter.unsupported(
                    "tokenizer.ggml.model is \(quoted(source.model.utf8)), known are gpt2, llama")
            }
        parts.addedTokens = addedTokens()
        return parts
    }

    /// `id` when it is a token's.
    func known(_ id: Int?, _ key: String) throws(TokenizerError) -> Int? {
        guard let id else { return nil }
        guard source.tokens.indices.contains(id) else {
            throw reporter.inconsistent(
                "tokenizer.ggml.\(key) is \(id), the vocabulary has \(source.tokens.count) tokens")
        }
        return id
    }

    private func checkLimits() throws(TokenizerError) {
        let count = source.tokens.count
        guard count <= TokenizerLimits.vocabularyCount else {
            throw reporter.exceeded(
                "tokenizer.ggml.tokens has \(count) entries, the limit is "
                    + "\(TokenizerLimits.vocabularyCount)")
        }
        guard source.tokenTypes.isEmpty || source.tokenTypes.count == count else {
            throw reporter.inconsistent(
                "tokenizer.ggml.token_type has \(source.tokenTypes.count) entries, tokens \(count)")
        }
        var total = 0
        for token in source.tokens {
            guard token.count <= TokenizerLimits.tokenByteCount else {
                throw reporter.exceeded(
                    "tokenizer.ggml.tokens has one of \(token.count) bytes, the limit is "
                        + "\(TokenizerLimits.tokenByteCount)")
            }
            guard UTF8Text.isValid(token) else {
                throw reporter.malformed("tokenizer.ggml.tokens has one that is not UTF-8")
            }
            total += token.count
        }
        guard total <= TokenizerLimits.fileByteCount else {
            throw reporter.exceeded(
                "tokenizer.ggml.tokens has \(total) bytes, the limit is "
                    + "\(TokenizerLimits.fileByteCount)")
        }
    }

    private func readVocabulary() throws(TokenizerError) -> Vocabulary {
        var vocabulary = Vocabulary(capacity: source.tokens.count)
        for (id, token) in source.tokens.enumerated() {
            do throws(Vocabulary.Conflict) {
                try vocabulary.insert(token, id: id)
            } catch {
                throw reporter.inconsistent(
                    "tokenizer.ggml.tokens[\(id)] \(quoted(token)) occurs twice")
            }
        }
        return vocabulary
    }

    private func byteLevelParts(
        _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> Tokenizer.Parts {
        // llama.cpp's own files from before the key existed are refused too: guessing would be
        // silent.
        let name = source.preTokenizer ?? "missing"
        guard let entry = GGUFPreTokenizers.entries[name] else {
            let known = GGUFPreTokenizers.entries.keys.sorted().joined(separator: ", ")
            throw reporter.unsupported(
                "tokenizer.ggml.pre is \(quoted(name.utf8)), known are \(known)")
        }
        let model = BytePairEncoding(
            vocabulary: vocabulary, merges: try readMerges(vocabulary),
            alphabet: .bytes(BytePairEncoding.byteLevelIDs(vocabulary)),
            ignoresMerges: entry.ignoresMerges)
        var parts = Tokenizer.Parts(model: model)
        if entry.isComposed { parts.normalizer.steps = [.form(.nfc)] }
        if source.addsSpacePrefix == true { parts.preTokenizer.steps = [.prefixSpace] }
        for expression in entry.expressions {
            let pattern = try Pattern(expression: expression, reporter: reporter)
            let split = Split(pattern: pattern, behavior: .isolated)
            parts.preTokenizer.steps.append(.split(split))
        }
        parts.decoding.spelling = .byteLevel
        return parts
    }

    private func readMerges(_ vocabulary: Vocabulary) throws(TokenizerError) -> MergeTable {
        guard source.merges.count < Int(Int32.max) else {
            throw reporter.exceeded("tokenizer.ggml.merges has 2^31 entries or more")
        }
        var table = MergeTable(capacity: source.merges.count)
        for (rank, merge) in source.merges.enumerated() {
            // A token may begin with a space in no byte-level vocabulary: the first space divides.
            let sides = merge.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let left = vocabulary.id(of: Array(sides[0])),
                let right = vocabulary.id(of: Array(sides[1])),
                let merged = vocabulary.id(of: Array(sides[0]) + sides[1])
            else {
                throw reporter.inconsistent(
                    "tokenizer.ggml.merges[\(rank)] \(quoted(merge)) names unknown tokens")
            }
            let value = MergeTable.Merge(rank: Int32(rank), id: Int32(merged))
            table.insert(Int32(left), Int32(right), value)
        }
        return table
    }

    private func sentencePieceParts(
        _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> Tokenizer.Parts {
        let merges = try ScoredMerges.make(
            source.tokens, source.scores, vocabulary, reporter)
        let unknown = try known(source.unknownID, "unknown_token_id")
        let model = BytePairEncoding(
            vocabulary: vocabulary, merges: merges.table,
            alphabet: .scalars(
                ScalarAlphabet(
                    byteIDs: BytePairEncoding.byteTokenIDs(vocabulary),
                    unknownID: unknown.map(Int32.init), fusesUnknown: false)),
            ignoresMerges: false)
        var parts = Tokenizer.Parts(
            model: model, boundaries: model.allowsCutting ? merges.boundaries : nil)
        let mark = Array("\u{2581}".utf8)
        let addsSpace = source.addsSpacePrefix ?? true
        if addsSpace { parts.normalizer.steps = [.prepend(mark)] }
        parts.normalizer.steps.append(.replace(Pattern(literal: [0x20]), with: mark))
        parts.decoding.spelling = .byteFallback
        parts.decoding.tokenSteps = [.replace(mark, with: [0x20])]
        if addsSpace { parts.decoding.textSteps = [.stripStart([0x20], count: 1)] }
        return parts
    }

    private func addedTokens() -> [AddedToken] {
        source.tokenTypes.enumerated().compactMap { id, type in
            switch GGUFVocabulary.TokenType(rawValue: type) {
            case .control, .unknown:
                AddedToken(id: id, content: source.tokens[id], isSpecial: true)
            case .userDefined:
                AddedToken(id: id, content: source.tokens[id], isSpecial: false)
            default: nil
            }
        }
    }
}
