import OrderedJSON

/// Where a model's tokenizer stands and what the files around it say of special tokens.
package struct TokenizerSource: Sendable {
    /// Where the vocabulary is.
    package enum Vocabulary: Sendable {
        /// In the metadata `tokenizer.ggml.*`.
        case gguf(GGUFFile)
        /// In a tokenizer.json at that path, which may be absent.
        case tokenizerJSON(path: String)
    }

    package let vocabulary: Vocabulary
    /// The id that may open a text, if the files name one.
    package let beginOfTextID: Int?
    /// The ids that end an answer: generation_config.json's before config.json's.
    package let endOfTextIDs: [Int]
    /// Whether a text is opened with `beginOfTextID`; nil where the files do not say.
    package let addsBeginOfText: Bool?
    /// The text of the token that opens a text, for chat templates.
    package let beginOfTextToken: String?
    /// The text of the token that ends a text, for chat templates.
    package let endOfTextToken: String?
    /// The chat template's source: chat_template.jinja's before tokenizer_config.json's.
    package let chatTemplate: String?
}

/// What files may say of special tokens.
private enum TokenizerSourceLimits {
    /// Ids lie below the largest vocabulary that a configuration may have.
    static let id = 1 << 22
    /// Published models end answers at up to 10 ids.
    static let endIDs = 256
}

extension TokenizerSource {
    /// The tokenizer of a GGUF file.
    ///
    /// - Throws: `malformed` for a key of the wrong type.
    init(_ file: GGUFFile) throws(ModelFileError) {
        let ids = 0...TokenizerSourceLimits.id
        let tokens: [String]
        if case .strings(let texts)? = file.metadata["tokenizer.ggml.tokens"] {
            tokens = texts
        } else {
            tokens = []
        }
        let begin = try file.integer("tokenizer.ggml.bos_token_id", in: ids)
        var ends: [Int] = []
        for key in ["eos", "eot", "eom"] {
            guard let id = try file.integer("tokenizer.ggml.\(key)_token_id", in: ids),
                !ends.contains(id)
            else { continue }
            ends.append(id)
        }
        vocabulary = .gguf(file)
        beginOfTextID = begin
        endOfTextIDs = ends
        addsBeginOfText = try file.boolean("tokenizer.ggml.add_bos_token")
        beginOfTextToken = begin.flatMap { tokens.indices.contains($0) ? tokens[$0] : nil }
        endOfTextToken = ends.first.flatMap { tokens.indices.contains($0) ? tokens[$0] : nil }
        chatTemplate = try file.string("tokenizer.chat_template")
    }

    /// The tokenizer of a Hugging Face folder.
    ///
    /// - Parameter config: the folder's config.json.
    /// - Throws: `ModelFileError` for a malformed file.
    init(_ folder: CheckpointFolder, config: JSONValue) throws(ModelFileError) {
        let generationPath = folder.file("generation_config.json")
        let generation = try JSONValue.ifPresent(path: generationPath)
        let configPath = folder.file("config.json")
        let tokenizer = try JSONValue.ifPresent(path: folder.file("tokenizer_config.json"))
        var ends = try Self.ids(generation?["eos_token_id"], "eos_token_id", generationPath)
        if ends.isEmpty { ends = try Self.ids(config["eos_token_id"], "eos_token_id", configPath) }
        var begins = try Self.ids(generation?["bos_token_id"], "bos_token_id", generationPath)
        if begins.isEmpty {
            begins = try Self.ids(config["bos_token_id"], "bos_token_id", configPath)
        }
        vocabulary = .tokenizerJSON(path: folder.file("tokenizer.json"))
        beginOfTextID = begins.first
        endOfTextIDs = ends
        if case .boolean(let adds)? = tokenizer?["add_bos_token"] {
            addsBeginOfText = adds
        } else {
            addsBeginOfText = nil
        }
        beginOfTextToken = Self.token(tokenizer?["bos_token"])
        endOfTextToken = Self.token(tokenizer?["eos_token"])
        chatTemplate = try Self.template(folder, tokenizer)
    }

    /// One id, a list of ids, or nothing.
    private static func ids(
        _ value: JSONValue?, _ field: String, _ file: String
    ) throws(ModelFileError) -> [Int] {
        let values: [JSONValue]
        switch value {
        case nil: values = []
        case .array(let list)?: values = list
        case .some(let one): values = [one]
        }
        guard values.count <= TokenizerSourceLimits.endIDs else {
            throw ModelFileError(
                .overLimit, file: file,
                "field \(field) has \(values.count) ids, the limit is "
                    + "\(TokenizerSourceLimits.endIDs)")
        }
        var ids: [Int] = []
        for value in values {
            guard case .integer(let id) = value, 0...TokenizerSourceLimits.id ~= id else {
                throw ModelFileError(
                    .malformed, file: file,
                    "field \(field): \(value.summary) is not a whole number from 0 to "
                        + "\(TokenizerSourceLimits.id)")
            }
            ids.append(id)
        }
        return ids
    }

    /// A token is written as its text, or as an object with the text as `content`.
    private static func token(_ value: JSONValue?) -> String? {
        value?.text ?? value?["content"]?.text
    }

    /// The file of its own, else the text in tokenizer_config.json, else the one named "default".
    private static func template(
        _ folder: CheckpointFolder, _ tokenizer: JSONValue?
    ) throws(ModelFileError) -> String? {
        let path = folder.file("chat_template.jinja")
        if FileBytes.exists(path) {
            return String(decoding: try FileBytes.read(path), as: UTF8.self)
        }
        guard case .array(let named)? = tokenizer?["chat_template"] else {
            return tokenizer?["chat_template"]?.text
        }
        let chosen = named.first { $0["name"]?.text == "default" } ?? named.first
        return chosen?["template"]?.text
    }
}
