package import Tokenizers

extension GGUFFile {
    /// The file's tokenizer, as its metadata `tokenizer.ggml.*` describe it.
    ///
    /// - Throws: `missing` or `malformed`, naming the key. Whether the tokens make sense together
    ///   is for `Tokenizer` to check.
    package func vocabulary() throws(ModelFileError) -> GGUFVocabulary {
        let prefix = "tokenizer.ggml."
        var vocabulary = GGUFVocabulary(
            model: try require(prefix + "model", try string(prefix + "model")),
            preTokenizer: try string(prefix + "pre"),
            tokens: try require(prefix + "tokens", try strings(prefix + "tokens")), file: path)
        vocabulary.merges = try strings(prefix + "merges") ?? []
        vocabulary.tokenTypes = try integers(prefix + "token_type") ?? []
        vocabulary.scores = try floats(prefix + "scores") ?? []
        vocabulary.beginOfTextID = try id("bos_token_id")
        vocabulary.endOfTextID = try id("eos_token_id")
        vocabulary.endOfTurnID = try id("eot_token_id")
        vocabulary.unknownID = try id("unknown_token_id")
        vocabulary.padID = try id("padding_token_id")
        vocabulary.addsBeginOfText = try boolean(prefix + "add_bos_token")
        vocabulary.addsEndOfText = try boolean(prefix + "add_eos_token")
        vocabulary.addsSpacePrefix = try boolean(prefix + "add_space_prefix")
        return vocabulary
    }

    private func id(_ key: String) throws(ModelFileError) -> Int? {
        try integer("tokenizer.ggml.\(key)", in: 0...GGUFLimits.arrayCount)
    }

    private func strings(_ key: String) throws(ModelFileError) -> [[UInt8]]? {
        switch metadata[key] {
        case nil: return nil
        case .strings(let values): return values.map { Array($0.utf8) }
        case let other?: throw wrong(key, other, "an array of texts")
        }
    }

    private func integers(_ key: String) throws(ModelFileError) -> [Int]? {
        switch metadata[key] {
        case nil: return nil
        case .integers(let values): return values
        case let other?: throw wrong(key, other, "an array of whole numbers")
        }
    }

    private func floats(_ key: String) throws(ModelFileError) -> [Float]? {
        switch metadata[key] {
        case nil: return nil
        case .floats(let values): return values.map { Float($0) }
        case let other?: throw wrong(key, other, "an array of numbers")
        }
    }
}
