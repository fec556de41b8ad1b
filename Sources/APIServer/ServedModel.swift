package import ChatTemplates
import OrderedJSON
package import Serving
import StructuredOutput
package import Tokenizers

/// What the API serves: a model behind its engine, and how to talk with it.
package struct ServedModel: Sendable {
    /// What clients call it.
    package let name: String
    package let tokenizer: Tokenizer
    package let engine: BatchEngine
    /// Number of ids.
    package let vocabulary: Int
    /// Tokens that end an answer in a conversation.
    package let turnEnds: Set<Int>
    /// How the model writes calls of functions; nil if that is not known.
    package let callFormat: ToolCallFormat?
    /// Time from a request to its end, with what it has then.
    package let timeLimit: Duration
    /// The ids that the model continues with its answer to a conversation: `messages` and `tools`
    /// as the template sees them. Throws an `APIError` if the template refuses.
    package let chatPrompt: @Sendable (TemplateObject) throws -> [Int]
    /// Seconds since 1970, for `created`.
    package let unixTime: @Sendable () -> Int
    /// When the server started, in those seconds.
    package let started: Int
    /// A number that nobody can foresee: seeds of those who give none, and names of answers.
    package let randomNumber: @Sendable () -> UInt64
    /// Forms that answers are forced into.
    let grammars: AnswerGrammars

    package init(
        name: String, tokenizer: Tokenizer, engine: BatchEngine, vocabulary: Int,
        turnEnds: Set<Int>, callFormat: ToolCallFormat?, timeLimit: Duration,
        chatPrompt: @escaping @Sendable (TemplateObject) throws -> [Int],
        unixTime: @escaping @Sendable () -> Int,
        randomNumber: @escaping @Sendable () -> UInt64
    ) {
        self.name = name
        self.tokenizer = tokenizer
        self.engine = engine
        self.vocabulary = vocabulary
        self.turnEnds = turnEnds
        self.callFormat = callFormat
        self.timeLimit = timeLimit
        self.chatPrompt = chatPrompt
        self.unixTime = unixTime
        started = unixTime()
        self.randomNumber = randomNumber
        grammars = AnswerGrammars(
            TokenVocabulary(tokenizer, count: vocabulary, excluding: turnEnds))
    }

    /// Refuses a model that is not this one; no name means this one.
    func check(_ fields: RequestFields) throws(APIError) {
        guard let asked = try fields.text("model"), asked != name else { return }
        throw APIError(
            404, "model: \"\(asked.prefix(100))\" is not served here, \"\(name)\" is",
            field: "model", code: "model_not_found")
    }

    /// Refuses ids that the model does not have, and none.
    func check(_ ids: [Int], field: String) throws(APIError) {
        guard !ids.isEmpty else { throw .invalid(field, "must have at least one token") }
        if let wrong = ids.first(where: { !(0..<vocabulary).contains($0) }) {
            throw .invalid(field, "\(wrong) is outside the vocabulary, 0 to \(vocabulary - 1)")
        }
        guard ids.count <= engine.positionsLimit else {
            throw APIError(
                400,
                "\(field): \(ids.count) tokens are more than the \(engine.positionsLimit) that "
                    + "fit", field: field, code: "context_length_exceeded")
        }
    }

    /// The ids of a text, with the begin-of-text token where the model expects one.
    func ids(_ text: String) -> [Int] {
        let ids = tokenizer.encode(text)
        guard tokenizer.addsBeginOfText, let begin = tokenizer.beginOfTextID, ids.first != begin
        else { return ids }
        return [begin] + ids
    }

    /// Whole-number ids, as an array in a request has them.
    func ids(_ values: [JSONValue], field: String) throws(APIError) -> [Int] {
        var ids: [Int] = []
        for value in values {
            guard case .integer(let id) = value else { throw .invalid(field, "must be of ids") }
            ids.append(id)
        }
        return ids
    }

    /// The prompts of a field: a text, ids, or an array of either.
    func prompts(_ fields: RequestFields, _ field: String) throws(APIError) -> [[Int]] {
        if let text = fields[field]?.text { return [try checked(ids(text), field)] }
        guard let values = try fields.array(field, limit: 1 << 17), let first = values.first
        else { throw .invalid(field, "must be a text, ids, or an array of these") }
        if case .integer = first { return [try checked(ids(values, field: field), field)] }
        guard values.count <= 128 else { throw .invalid(field, "must be at most 128 texts") }
        var prompts: [[Int]] = []
        for value in values {
            switch value {
            case .string(let text): prompts.append(try checked(ids(text.text), field))
            case .array(let ids): prompts.append(try checked(self.ids(ids, field: field), field))
            default: throw .invalid(field, "must be a text, ids, or an array of these")
            }
        }
        return prompts
    }

    private func checked(_ ids: [Int], _ field: String) throws(APIError) -> [Int] {
        try check(ids, field: field)
        return ids
    }
}
