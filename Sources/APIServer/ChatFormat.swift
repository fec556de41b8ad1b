import ChatTemplates
import MoEModel
import OrderedJSON
import Serving

/// `/v1/chat/completions`: answers in a conversation.
struct ChatFormat: AnswerFormat {
    /// Most tokens of an answer for which no limit is given, memory for which is set aside.
    static let answerLimit = 4096

    let requests: [CompletionRequest]
    let answersPerPrompt: Int
    let sampling: SamplingFields
    private let model: ServedModel
    private let id: String
    private let created: Int
    private var choices: [Choice]

    /// What is known of one answer.
    private struct Choice {
        var text = ""
        var scores: [JSONValue] = []
        var calls: [Call] = []
        /// Nil where the model may not call anything.
        var parser: ToolCallParser?
        var reason: String?
    }

    /// A call of a function.
    private struct Call {
        let id: String
        let name: String
        /// JSON.
        var arguments = ""
    }

    /// - Parameter body: the JSON that `fields` were read from.
    init(_ fields: RequestFields, body: [UInt8], _ model: ServedModel) throws {
        try model.check(fields)
        sampling = try SamplingFields(fields, model)
        let choice = try ToolChoice(fields)
        let conversation = try ChatConversation(body: body, choice)
        var request = sampling.request
        request.prompt = try model.chatPrompt(conversation.context)
        try model.check(request.prompt, field: "messages")
        request.endTokens = model.turnEnds
        if try fields.boolean("logprobs") ?? false {
            request.topLogprobs = try fields.integer("top_logprobs", in: 0...20) ?? 0
        } else if fields["top_logprobs"] != nil {
            throw APIError.invalid("top_logprobs", "needs \"logprobs\": true")
        }
        request.constraint =
            try choice.constraint(model) ?? model.grammars.constraint(ResponseFormat(fields))
        let parser = choice.prepare(&request, model)
        let limit = try fields.integer("max_completion_tokens", in: 1...1_000_000)
        let older = try fields.integer("max_tokens", in: 1...1_000_000)
        let room = model.engine.positionsLimit - request.prompt.count + 1
        request.maxTokens = limit ?? older ?? max(1, min(Self.answerLimit, room))
        requests = (0..<sampling.count).map { index in
            var next = request
            next.sampling.seed &+= UInt64(index)
            return next
        }
        answersPerPrompt = sampling.count
        self.model = model
        id = "chatcmpl-" + String(model.randomNumber(), radix: 16)
        created = model.unixTime()
        choices = requests.map { _ in Choice(parser: parser) }
    }

    func opening() -> [JSONValue] {
        choices.indices.map { index in
            chunk(index, [("role", .text("assistant")), ("content", .text(""))])
        }
    }

    mutating func chunks(_ event: CompletionEvent, index: Int) -> [JSONValue] {
        switch event {
        case .prompt, .distribution, .meanState: return []
        case .token(let token):
            var scores: [JSONValue] = []
            if requests[index].topLogprobs != nil { scores = [score(token.score)] }
            return piece(token.text, scores, index)
        case .end(let end):
            var chunks = piece(end.text, [], index)
            chunks += add(choices[index].parser?.finish() ?? [], [], index)
            let isCall = !choices[index].calls.isEmpty && end.reason == .stop
            choices[index].reason = isCall ? "tool_calls" : end.reason.finishReason
            return chunks + [chunk(index, [], reason: choices[index].reason)]
        }
    }

    func usageChunk(_ usage: JSONValue) -> JSONValue {
        envelope("chat.completion.chunk", [], usage)
    }

    func response(_ usage: JSONValue) -> JSONValue {
        let choices = choices.enumerated().map { index, choice -> JSONValue in
            let isEmpty = choice.text.isEmpty && !choice.calls.isEmpty
            var message: [(String, JSONValue)] = [
                ("role", .text("assistant")), ("content", isEmpty ? .null : .text(choice.text)),
                ("refusal", .null),
            ]
            if !choice.calls.isEmpty {
                let calls = choice.calls.map { call -> JSONValue in
                    .members([
                        ("id", .text(call.id)), ("type", .text("function")),
                        ("function", Self.function(call.name, call.arguments)),
                    ])
                }
                message.append(("tool_calls", .array(calls)))
            }
            return .members([
                ("index", .integer(index)), ("message", .members(message)),
                ("logprobs", logprobs(choice.scores, index)),
                ("finish_reason", choice.reason.map(JSONValue.text) ?? .null),
            ])
        }
        return envelope("chat.completion", choices, usage)
    }

    private mutating func piece(
        _ text: String, _ scores: [JSONValue], _ index: Int
    ) -> [JSONValue] {
        let pieces = choices[index].parser?.append(text) ?? [.text(text)]
        return add(pieces, scores, index)
    }

    /// Adds pieces to an answer; its chunks.
    private mutating func add(
        _ pieces: [ToolCallParser.Piece], _ scores: [JSONValue], _ index: Int
    ) -> [JSONValue] {
        choices[index].scores += scores
        var deltas: [[(String, JSONValue)]] = []
        for piece in pieces where piece != .text("") { deltas.append(add(piece, index)) }
        if deltas.isEmpty, !scores.isEmpty { deltas.append([("content", .text(""))]) }
        return deltas.enumerated().map { place, delta in
            chunk(index, delta, place == 0 ? scores : [])
        }
    }

    private mutating func add(
        _ piece: ToolCallParser.Piece, _ index: Int
    ) -> [(String, JSONValue)] {
        var delta: [(String, JSONValue)] = []
        switch piece {
        case .text(let text):
            choices[index].text += text
            return [("content", .text(text))]
        case .call(let name):
            let call = Call(id: callID(), name: name)
            choices[index].calls.append(call)
            delta = [
                ("id", .text(call.id)), ("type", .text("function")),
                ("function", Self.function(name, "")),
            ]
        case .arguments(let text):
            choices[index].calls[choices[index].calls.count - 1].arguments += text
            delta = [("function", .members([("arguments", .text(text))]))]
        }
        let position = ("index", JSONValue.integer(choices[index].calls.count - 1))
        return [("tool_calls", .array([.members([position] + delta)]))]
    }

    private static func function(_ name: String, _ arguments: String) -> JSONValue {
        .members([("name", .text(name)), ("arguments", .text(arguments))])
    }

    /// A name for a call. Mistral's template refuses other ones than of nine letters and digits.
    private func callID() -> String {
        let digits = String(repeating: "0", count: 8) + String(model.randomNumber(), radix: 36)
        return model.callFormat == .mistral ? String(digits.suffix(9)) : "call_" + digits.suffix(16)
    }

    private func score(_ score: TokenScore) -> JSONValue {
        .members(
            token(score.id, score.logprob ?? 0) + [
                ("top_logprobs", .array(score.top.map { .members(token($0.id, $0.logprob)) }))
            ])
    }

    private func token(_ id: Int, _ logprob: Float) -> [(String, JSONValue)] {
        let text = TokenText(id, model)
        return [
            ("token", .text(text.text)), ("logprob", .decimal(Double(logprob))),
            ("bytes", .array(text.bytes.map { .integer(Int($0)) })),
        ]
    }

    private func logprobs(_ scores: [JSONValue], _ index: Int) -> JSONValue {
        guard requests[index].topLogprobs != nil else { return .null }
        return .members([("content", .array(scores)), ("refusal", .null)])
    }

    private func chunk(
        _ index: Int, _ delta: [(String, JSONValue)], _ scores: [JSONValue] = [],
        reason: String? = nil
    ) -> JSONValue {
        let choice = JSONValue.members([
            ("index", .integer(index)), ("delta", .members(delta)),
            ("logprobs", scores.isEmpty ? .null : logprobs(scores, index)),
            ("finish_reason", reason.map(JSONValue.text) ?? .null),
        ])
        return envelope("chat.completion.chunk", [choice])
    }

    private func envelope(
        _ object: String, _ choices: [JSONValue], _ usage: JSONValue? = nil
    ) -> JSONValue {
        .members(
            [
                ("id", .text(id)), ("object", .text(object)), ("created", .integer(created)),
                ("model", .text(model.name)), ("choices", .array(choices)),
            ] + (usage.map { [("usage", $0)] } ?? []))
    }
}
