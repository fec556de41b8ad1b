extension GGUFVocabulary {
    /// Describes the tokenizer of a Hugging Face `tokenizer.json` as GGUF files do: tokens by id
    /// with their types, merges and the name of the pre-tokenizer (byte-level BPE), or scores
    /// (SentencePiece BPE with byte fallback).
    ///
    /// Ids, special tokens and the choice of adding them that stand in other files are for the
    /// caller to set.
    ///
    /// - Parameters:
    ///   - tokenizerJSON: the file's bytes, UTF-8.
    ///   - count: rows of the embedding; ids without a token become unused ones.
    ///   - file: its name, for error messages.
    /// - Throws: `TokenizerError` for a file that cannot be read, for more tokens than `count`, and
    ///   for a tokenizer that llama.cpp has no name for.
    /// - Complexity: O(bytes).
    package init(
        tokenizerJSON: [UInt8], count: Int, file: String
    ) throws(TokenizerError) {
        let tokenizer = try Tokenizer(tokenizerJSON: tokenizerJSON, file: file)
        let root = try JSONField.root(of: tokenizerJSON, reporter: ErrorReporter(file: file))
        try self.init(
            GGUFVocabularyMaker(root: root, tokenizer: tokenizer, count: count), file: file)
    }

    private init(_ maker: GGUFVocabularyMaker, file: String) throws(TokenizerError) {
        let preTokenization = try PreTokenizerReader.read(maker.root["pre_tokenizer"])
        let isByteLevel = preTokenization.isByteLevel
        self.init(
            model: isByteLevel ? "gpt2" : "llama",
            preTokenizer: isByteLevel ? try maker.preTokenizerName(preTokenization) : "default",
            tokens: try maker.tokens(), file: file)
        unknownID = try maker.unknownID()
        tokenTypes = try maker.types(tokens, unknownID: unknownID, isByteLevel: isByteLevel)
        if isByteLevel {
            merges = try maker.merges().map { $0.left + [0x20] + $0.right }
            if case .prefixSpace? = preTokenization.steps.first { addsSpacePrefix = true }
        } else {
            try maker.checkIsSentencePiece()
            scores = try maker.scores(count: tokens.count)
            addsSpacePrefix = try maker.addsSpacePrefix(preTokenization)
        }
        beginOfTextID = maker.tokenizer.beginOfTextID
        endOfTextID = maker.tokenizer.endOfTextIDs.first
        addsBeginOfText = maker.tokenizer.addsBeginOfText
    }
}

/// Reads the parts of a `tokenizer.json` that GGUF states differently.
struct GGUFVocabularyMaker {
    let root: JSONField
    /// The same file, read and checked.
    let tokenizer: Tokenizer
    let count: Int

    private var model: JSONField { root["model"] }

    /// All tokens by id, UTF-8; ids without one have llama.cpp's name for padding.
    func tokens() throws(TokenizerError) -> [[UInt8]] {
        guard tokenizer.vocabularyCount <= count else {
            throw root.reporter.inconsistent(
                "has ids up to \(tokenizer.vocabularyCount - 1), the model has only \(count)")
        }
        return (0..<count).map { id in
            tokenizer.hasToken(id)
                ? Array(tokenizer.model.vocabulary[id]) : Array("[PAD\(id)]".utf8)
        }
    }

    /// `GGUFVocabulary.TokenType` by id.
    func types(
        _ tokens: [[UInt8]], unknownID: Int?, isByteLevel: Bool
    ) throws(TokenizerError) -> [Int] {
        var types = tokens.indices.map { id -> GGUFVocabulary.TokenType in
            guard tokenizer.hasToken(id) else { return .unused }
            return !isByteLevel && DecodingRules.byte(tokens[id][...]) != nil ? .byte : .normal
        }
        if !root["added_tokens"].isNull {
            for token in try root["added_tokens"].array() {
                let id = try token["id"].integer(through: count - 1)
                let isSpecial = try token["special"].boolean(default: false)
                types[id] = isSpecial ? .control : .userDefined
            }
        }
        if let unknownID { types[unknownID] = .unknown }
        return types.map(\.rawValue)
    }

    func unknownID() throws(TokenizerError) -> Int? {
        guard !model["unk_token"].isNull else { return nil }
        return tokenizer.model.vocabulary.id(of: try model["unk_token"].bytes())
    }

    func merges() throws(TokenizerError) -> [(left: [UInt8], right: [UInt8])] {
        try model["merges"].array().map { field throws(TokenizerError) in
            guard let pair = BPEModelReader.pair(field.value) else {
                throw field.reporter.malformed("\(field.path) is not a pair of tokens")
            }
            return pair
        }
    }

    /// A score for each token such that SentencePiece's order (the best-scored token first) is that
    /// of the merges: minus the rank of the first merge that makes it. Tokens that no merge makes
    /// are below all others, where no merge can choose them.
    func scores(count: Int) throws(TokenizerError) -> [Float] {
        let merges = try merges()
        var scores = [Float](repeating: -Float(merges.count + 1), count: count)
        var isRanked = [Bool](repeating: false, count: count)
        var rank: Float = 0
        for merge in merges {
            guard let id = tokenizer.model.vocabulary.id(of: merge.left + merge.right),
                !isRanked[id]
            else { continue }
            isRanked[id] = true
            scores[id] = -rank
            rank += 1
        }
        return scores
    }

    func checkIsSentencePiece() throws(TokenizerError) {
        guard try model["byte_fallback"].boolean(default: false) else {
            throw root.reporter.unsupported(
                "is neither byte-level BPE nor SentencePiece BPE with byte fallback: GGUF has no "
                    + "form for it")
        }
    }

    /// Whether a text gets a space in front, from the normalizer or the pre-tokenizer.
    func addsSpacePrefix(_ preTokenization: PreTokenizerReader) throws(TokenizerError) -> Bool {
        for step in try NormalizerReader.steps(root["normalizer"]) {
            if case .prepend = step { return true }
        }
        return preTokenization.steps.contains { step in
            if case .metaspace(_, let prepend, _) = step { prepend != .never } else { false }
        }
    }

    /// llama.cpp's name of the pre-tokenizer that cuts a difficult text as this one does.
    ///
    /// The expressions themselves would not do: models spell the same rule differently.
    func preTokenizerName(
        _ preTokenization: PreTokenizerReader
    ) throws(TokenizerError) -> String {
        let ignoresMerges = try model["ignore_merges"].boolean(default: false)
        let isComposed = try NormalizerReader.steps(root["normalizer"]).contains {
            if case .form(.nfc) = $0 { true } else { false }
        }
        let wanted = Self.cuts(preTokenization.steps)
        var found: (name: String, isComposed: Bool)?
        for name in Self.namesByPreference {
            guard let entry = GGUFPreTokenizers.entries[name],
                entry.ignoresMerges == ignoresMerges,
                try Self.cuts(entry, reporter: root.reporter) == wanted
            else { continue }
            if entry.isComposed == isComposed { return name }
            // llama.cpp normalises nothing, so a name that is right but for that will do.
            found = found ?? (name, entry.isComposed)
        }
        guard let found else {
            let known = GGUFPreTokenizers.entries.keys.sorted().joined(separator: ", ")
            throw root.reporter.unsupported(
                "pre_tokenizer cuts text like none of those that GGUF has names for: \(known)")
        }
        return found.name
    }

    /// Of several names for the same rule, the one that most files have.
    private static var namesByPreference: [String] {
        let first = ["gpt-2", "llama-bpe", "qwen2", "gpt-4o", "tekken", "smaug-bpe", "smollm"]
        return first + GGUFPreTokenizers.entries.keys.sorted().filter { !first.contains($0) }
    }

    private static func cuts(
        _ entry: GGUFPreTokenizers.Entry, reporter: ErrorReporter
    ) throws(TokenizerError) -> [Range<Int>] {
        var steps: [PreTokenizationStep] = []
        for expression in entry.expressions {
            let pattern = try Pattern(expression: expression, reporter: reporter)
            steps.append(.split(Split(pattern: pattern, behavior: .isolated)))
        }
        return cuts(steps)
    }

    /// Where the steps cut the probe; a space that they put in front has its own key in GGUF.
    private static func cuts(_ steps: [PreTokenizationStep]) -> [Range<Int>] {
        let splits = steps.filter { if case .prefixSpace = $0 { false } else { true } }
        var text = Array(probe.utf8)
        return PreTokenizer(steps: splits).pieces(&text, isFirst: true)
    }

    /// Every rule that known pre-tokenizers differ in: digits, contractions, capitals, white space,
    /// line ends, slashes, marks, and scripts without spaces.
    private static let probe = """
        Hello world, it's WE'LL they'Re\u{20}\u{20}\u{20}2 34 567 8901 23456 1234567890 a1b22\u{20}
        \tcamelCaseWord XMLHttpRequest ABCdef ǅungla don't;it's 3.14 -7 +1e10\u{20}\u{20}\n\n \n
        //comment /path/to!/ "quoted" (x)[y]{z} a=b;\r\n\r\n  }\n!!\n??/\n ...\u{20}
        e\u{301}a\u{308} naïve Ünïcödé Привет мир κόσμε 日本語テスト 中文字符，测试。 한국어 텍스트
        हिन्दी भाषा ไทย עברית العربية ٣٤٥ ½ ² Ⅷ 🙂🙃 👩‍👧 ❤\u{FE0F} € £5
        #tag @me 100% x_y __init__ ~`^|\\
        \u{A0}nbsp\u{3000}ideographic\u{20}\u{20}\u{20}
        """
}
