import OrderedJSON

extension Tokenizer {
    /// Reads a Hugging Face `tokenizer.json` with a BPE model.
    ///
    /// `addsBeginOfText`, `beginOfTextID` and `endOfTextIDs` are taken from a `TemplateProcessing`
    /// post-processor where there is one; a caller that has `tokenizer_config.json` or
    /// `generation_config.json` sets them from there.
    ///
    /// - Parameters:
    ///   - tokenizerJSON: the file's bytes, UTF-8.
    ///   - file: its name, for error messages.
    /// - Throws: `TokenizerError`, naming the file, the field and the limit.
    /// - Complexity: O(bytes).
    package init(tokenizerJSON: [UInt8], file: String) throws(TokenizerError) {
        let root = try JSONField.root(of: tokenizerJSON, reporter: ErrorReporter(file: file))
        _ = try root.members()
        let preTokenization = try PreTokenizerReader.read(root["pre_tokenizer"])
        let reader = BPEModelReader(
            field: root["model"], isByteLevel: preTokenization.isByteLevel)
        let (model, boundaries) = try reader.read()
        var parts = Tokenizer.Parts(model: model, boundaries: boundaries)
        parts.normalizer.steps = try NormalizerReader.steps(root["normalizer"])
        parts.preTokenizer.steps = preTokenization.steps
        parts.decoding = try DecoderReader.rules(root["decoder"])
        parts.addedTokens = try AddedTokenReader.tokens(
            root["added_tokens"], &parts.model.vocabulary)
        self.init(parts)
        let template = try TemplateReader.read(root["post_processor"])
        beginOfTextID = template.beginOfTextID
        addsBeginOfText = template.beginOfTextID != nil
        if let id = template.endOfTextID { endOfTextIDs = [id] }
    }
}

/// What a post-processor puts around a single text. It is not applied, only known.
struct TemplateReader {
    var beginOfTextID: Int?
    var endOfTextID: Int?

    static func read(_ field: JSONField) throws(TokenizerError) -> TemplateReader {
        guard !field.isNull else { return TemplateReader() }
        switch try field["type"].string() {
        case "Sequence":
            var result = TemplateReader()
            for processor in try field["processors"].array() {
                let part = try read(processor)
                result.beginOfTextID = result.beginOfTextID ?? part.beginOfTextID
                result.endOfTextID = result.endOfTextID ?? part.endOfTextID
            }
            return result
        case "TemplateProcessing": return try template(field)
        default: return TemplateReader()
        }
    }

    private static func template(_ field: JSONField) throws(TokenizerError) -> TemplateReader {
        var result = TemplateReader()
        var isAfterText = false
        for item in try field["single"].array() {
            if !item["Sequence"].isNull { isAfterText = true }
            guard !item["SpecialToken"].isNull else { continue }
            let name = try item["SpecialToken"]["id"].bytes()
            let tokens = field["special_tokens"]
            guard let token = try tokens.members().last(where: { $0.key.utf8 == name }) else {
                throw field.reporter.malformed("\(tokens.path) lacks \(quoted(name))")
            }
            let ids = JSONField(
                value: token.value, path: tokens.path, reporter: field.reporter)["ids"]
            let id = try ids.array().first?.integer(through: TokenizerLimits.vocabularyCount - 1)
            if isAfterText { result.endOfTextID = id } else { result.beginOfTextID = id }
        }
        return result
    }
}
