import Hummingbird
import OrderedJSON
import Serving
import Tokenizers

/// What answers at which path.
struct APIRoutes: Sendable {
    let model: ServedModel
    let metrics: Metrics
    let monitor: StatusMonitor
    /// Whether the model can answer now.
    let isReady: @Sendable () -> Bool

    func add(to router: Router<APIContext>) {
        router.get("/health") { _, _ in Response(.members([("status", .text("ok"))])) }
        router.get("/ready") { _, _ in ready() }
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(
                    byteBuffer: ByteBuffer(string: metrics.text(model.engine, monitor.cell()))))
        }
        router.get("/openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: OpenAPIDocument.text)))
        }
        router.get("/v1/models") { _, _ in
            Response(.members([("object", .text("list")), ("data", .array([modelObject]))]))
        }
        router.get("/v1/models/:name") { _, context in try oneModel(context) }
        router.post("/v1/chat/completions") { request, context in
            let (request, body) = try await read(request)
            let format = try ChatFormat(RequestFields(body), body: body, model)
            return try await answer(format, request, context)
        }
        router.post("/v1/completions") { request, context in
            let (request, body) = try await read(request)
            return try await answer(
                TextFormat(RequestFields(body), model), request, context)
        }
        router.post("/v1/embeddings") { request, _ in
            let (request, body) = try await read(request)
            return try await reading(request, RequestFields(body), embeddings)
        }
        router.post("/v1/next") { request, _ in
            let (request, body) = try await read(request)
            return try await reading(request, RequestFields(body), next)
        }
        router.post("/tokenize") { request, _ in
            try await tokenize(RequestFields(read(request).body))
        }
        router.post("/detokenize") { request, _ in
            try await detokenize(RequestFields(read(request).body))
        }
    }

    /// The whole body, under the limit.
    private func read(_ request: Request) async throws -> (request: Request, body: [UInt8]) {
        var request = request
        let limit = RequestFields.byteLimit
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit {
            throw APIError(413, "body: is larger than \(limit) bytes", code: "body_too_large")
        }
        do {
            let buffer = try await request.collectBody(upTo: limit)
            return (request, Array(buffer.readableBytesView))
        } catch {
            throw APIError(413, "body: is larger than \(limit) bytes", code: "body_too_large")
        }
    }

    private func answer(
        _ format: some AnswerFormat, _ request: Request, _ context: APIContext
    ) async throws -> Response {
        try checkReady()
        return try await Answering(
            format: format, model: model, metrics: metrics, record: context.record
        ).respond(to: request)
    }

    /// Answers what needs no stream; a client that goes away cancels it.
    private func reading(
        _ request: Request, _ fields: RequestFields,
        _ body: @escaping @Sendable (RequestFields) async throws -> JSONValue
    ) async throws -> Response {
        try checkReady()
        return try await request.body.consumeWithCancellationOnInboundClose { _ in
            Response(closing: try await body(fields))
        }
    }

    private func checkReady() throws {
        guard isReady() else {
            throw APIError(
                503, "the model waits for its devices", code: "not_ready", retrySeconds: 5)
        }
    }

    private func ready() -> Response {
        let isReady = isReady()
        return Response(
            .members([("status", .text(isReady ? "ready" : "not ready"))]),
            status: isReady ? .ok : .serviceUnavailable)
    }

    private var modelObject: JSONValue {
        .members([
            ("id", .text(model.name)), ("object", .text("model")),
            ("created", .integer(model.started)), ("owned_by", .text("martlet")),
            ("max_model_len", .integer(model.engine.positionsLimit)),
        ])
    }

    private func oneModel(_ context: APIContext) throws -> Response {
        let name = context.parameters.get("name") ?? ""
        guard name == model.name else {
            throw APIError(
                404, "model: \"\(name.prefix(100))\" is not served here", field: "model",
                code: "model_not_found")
        }
        return Response(modelObject)
    }

    /// The ids of a text, and each as text where that is asked for.
    private func tokenize(_ fields: RequestFields) throws -> Response {
        guard let text = try fields.text("prompt") ?? fields.text("content") else {
            throw APIError.invalid("prompt", "is missing")
        }
        let special = try fields.boolean("add_special_tokens") ?? true
        let ids = special ? model.ids(text) : model.tokenizer.encode(text)
        return Response(
            .members([
                ("tokens", .array(ids.map(JSONValue.integer))), ("count", .integer(ids.count)),
                ("max_model_len", .integer(model.engine.positionsLimit)),
            ]))
    }

    private func detokenize(_ fields: RequestFields) throws -> Response {
        let ids = try tokens(fields)
        let text = model.tokenizer.decode(ids, skippingSpecialTokens: false)
        return Response(.members([("prompt", .text(text))]))
    }

    private func tokens(_ fields: RequestFields) throws -> [Int] {
        guard let values = try fields.array("tokens", limit: 1 << 20) else {
            throw APIError.invalid("tokens", "is missing")
        }
        let ids = try model.ids(values, field: "tokens")
        if let wrong = ids.first(where: { !(0..<model.vocabulary).contains($0) }) {
            throw APIError.invalid(
                "tokens", "\(wrong) is outside the vocabulary, 0 to \(model.vocabulary - 1)")
        }
        return ids
    }

    /// How likely every token is after the given ids.
    @Sendable private func next(_ fields: RequestFields) async throws -> JSONValue {
        try model.check(fields)
        var request = CompletionRequest(prompt: try tokens(fields))
        try model.check(request.prompt, field: "tokens")
        (request.maxTokens, request.reading) = (0, .distribution)
        var logprobs: [JSONValue] = []
        var usage = Usage()
        for try await (_, event) in try answerStream([request], model.engine) {
            if case .distribution(let values) = event {
                logprobs = values.map { .decimal(Double($0)) }
            }
            if case .end(let end) = event { usage.add(end) }
        }
        try Task.checkCancellation()
        return .members([
            ("object", .text("martlet.next")), ("model", .text(model.name)),
            ("logprobs", .array(logprobs)), ("usage", usage.json),
        ])
    }

    /// The mean of each text's final hidden states, of length 1.
    @Sendable private func embeddings(_ fields: RequestFields) async throws -> JSONValue {
        try model.check(fields)
        let format = try fields.text("encoding_format") ?? "float"
        guard format == "float" || format == "base64" else {
            throw APIError.invalid("encoding_format", "must be \"float\" or \"base64\"")
        }
        if fields["dimensions"] != nil { throw APIError.unsupported("dimensions", "this option") }
        let requests = try model.prompts(fields, "input").map { prompt in
            var request = CompletionRequest(prompt: prompt)
            (request.maxTokens, request.reading) = (0, .meanState)
            return request
        }
        var vectors = requests.map { _ in [Float]() }
        var usage = Usage()
        for try await (index, event) in try answerStream(requests, model.engine) {
            if case .meanState(let mean) = event {
                vectors[index] = normalized(mean)
            }
            if case .end(let end) = event { usage.add(end) }
        }
        try Task.checkCancellation()
        let data = vectors.enumerated().map { index, vector in
            JSONValue.members([
                ("object", .text("embedding")), ("index", .integer(index)),
                ("embedding", format == "float" ? .floats(vector) : .base64(vector)),
            ])
        }
        return .members([
            ("object", .text("list")), ("data", .array(data)), ("model", .text(model.name)),
            ("usage", usage.json),
        ])
    }
}

/// The vector of that direction and length 1; zeros stay.
private func normalized(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return length > 0 ? vector.map { Float(Double($0) / length) } : vector
}
