import MoEModel
import OrderedJSON
import Serving
import Tokenizers

/// `/v1/completions`: texts that go on.
struct TextFormat: AnswerFormat {
    let requests: [CompletionRequest]
    let answersPerPrompt: Int
    let sampling: SamplingFields
    private let model: ServedModel
    private let echoes: Bool
    private let id: String
    private let created: Int
    private var choices: [Choice]

    /// What is known of one answer.
    private struct Choice {
        var text = ""
        var scores = TextScores()
        var reason: String?
    }

    init(_ fields: RequestFields, _ model: ServedModel) throws(APIError) {
        try model.check(fields)
        for name in ["suffix", "best_of"] where fields[name] != nil && fields[name] != .integer(1) {
            throw .unsupported(name, "this option")
        }
        sampling = try SamplingFields(fields, model)
        echoes = try fields.boolean("echo") ?? false
        let logprobs = try fields.integer("logprobs", in: 0...20)
        var requests: [CompletionRequest] = []
        for prompt in try model.prompts(fields, "prompt") {
            var request = sampling.request
            request.prompt = prompt
            request.maxTokens = try fields.integer("max_tokens", in: 0...1_000_000) ?? 16
            request.endTokens = model.tokenizer.endOfTextIDs
            request.topLogprobs = logprobs
            request.promptLogprobs = echoes ? logprobs : nil
            for index in 0..<sampling.count {
                requests.append(request)
                requests[requests.count - 1].sampling.seed &+= UInt64(index)
            }
        }
        guard requests.count <= 128 else { throw .invalid("n", "makes more than 128 answers") }
        self.requests = requests
        answersPerPrompt = sampling.count
        self.model = model
        id = "cmpl-" + String(model.randomNumber(), radix: 16)
        created = model.unixTime()
        choices = requests.map { _ in Choice() }
    }

    func opening() -> [JSONValue] { [] }

    mutating func chunks(_ event: CompletionEvent, index: Int) -> [JSONValue] {
        switch event {
        case .prompt(let scores): return [piece(promptText(index), scores, index)]
        case .token(let token): return [piece(token.text, [token.score], index)]
        case .end(let end):
            var chunks: [JSONValue] = []
            if echoes, requests[index].promptLogprobs == nil, choices[index].text.isEmpty {
                chunks.append(piece(promptText(index), [], index))
            }
            choices[index].text += end.text
            choices[index].reason = end.reason.finishReason
            return chunks + [
                envelope([choice(index, end.text, TextScores(), end.reason.finishReason)])
            ]
        case .distribution, .meanState: return []
        }
    }

    func usageChunk(_ usage: JSONValue) -> JSONValue { envelope([], usage) }

    func response(_ usage: JSONValue) -> JSONValue {
        envelope(
            choices.enumerated().map { index, answer in
                choice(index, answer.text, answer.scores, answer.reason)
            }, usage)
    }

    /// Adds a piece to an answer; its chunk. The prompt goes before the first one.
    private mutating func piece(
        _ text: String, _ scores: [TokenScore], _ index: Int
    ) -> JSONValue {
        var text = text
        if echoes, requests[index].promptLogprobs == nil, choices[index].text.isEmpty,
            !scores.isEmpty
        {
            text = promptText(index) + text
        }
        var part = TextScores()
        part.offset = choices[index].scores.offset
        for score in scores where requests[index].topLogprobs != nil {
            part.add(score, model)
            choices[index].scores.add(score, model)
        }
        choices[index].text += text
        return envelope([choice(index, text, part, nil)])
    }

    private func promptText(_ index: Int) -> String {
        model.tokenizer.decode(requests[index].prompt, skippingSpecialTokens: true)
    }

    private func choice(
        _ index: Int, _ text: String, _ scores: TextScores, _ reason: String?
    ) -> JSONValue {
        .members([
            ("index", .integer(index)), ("text", .text(text)),
            ("logprobs", requests[index].topLogprobs == nil ? .null : scores.json),
            ("finish_reason", reason.map(JSONValue.text) ?? .null),
        ])
    }

    private func envelope(_ choices: [JSONValue], _ usage: JSONValue? = nil) -> JSONValue {
        .members(
            [
                ("id", .text(id)), ("object", .text("text_completion")),
                ("created", .integer(created)), ("model", .text(model.name)),
                ("choices", .array(choices)),
            ] + (usage.map { [("usage", $0)] } ?? []))
    }
}

/// The four lists of `logprobs` in `/v1/completions`.
private struct TextScores {
    private var tokens: [JSONValue] = []
    private var logprobs: [JSONValue] = []
    private var top: [JSONValue] = []
    private var offsets: [JSONValue] = []
    /// Characters so far.
    var offset = 0

    mutating func add(_ score: TokenScore, _ model: ServedModel) {
        let text = TokenText(score.id, model).text
        tokens.append(.text(text))
        logprobs.append(score.logprob.map { .decimal(Double($0)) } ?? .null)
        var seen: Set<[UInt8]> = []
        let members = score.top.map { ($0, TokenText($0.id, model).text) }
            .filter { seen.insert(Array($0.1.utf8)).inserted }
            .map { ($0.1, JSONValue.decimal(Double($0.0.logprob))) }
        top.append(score.logprob == nil ? .null : .members(members))
        offsets.append(.integer(offset))
        offset += text.unicodeScalars.count
    }

    var json: JSONValue {
        .members([
            ("tokens", .array(tokens)), ("token_logprobs", .array(logprobs)),
            ("top_logprobs", .array(top)), ("text_offset", .array(offsets)),
        ])
    }
}
