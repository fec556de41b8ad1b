import Hummingbird
import OrderedJSON
import Serving

/// Turns a request's events into its response.
struct Answering<Format: AnswerFormat>: Sendable {
    let format: Format
    let model: ServedModel
    let metrics: Metrics
    let record: RequestRecord

    /// The response; a client that goes away cancels what it asked for.
    func respond(to request: Request) async throws -> Response {
        if format.sampling.isStreaming { return try stream(request) }
        return try await request.body.consumeWithCancellationOnInboundClose { _ in
            try await whole()
        }
    }

    private func whole() async throws -> Response {
        var format = format
        var usage = Usage()
        for try await (index, event) in try answerStream(format.requests, model.engine) {
            _ = format.chunks(event, index: index)
            note(event, index, &usage)
        }
        try Task.checkCancellation()
        return Response(closing: format.response(usage.json))
    }

    /// Server-sent events. A request that is not taken is refused before the first of them.
    private func stream(_ request: Request) throws -> Response {
        let events = try answerStream(format.requests, model.engine)
        let body = ResponseBody { writer in
            // The compiler cannot see that the closure below ends before the writer does.
            var out = writer
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                do {
                    try await write(events, to: &out)
                } catch {
                    metrics.count(.cancelled)
                    throw error
                }
                try await out.finish(nil)
            }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
                .connection: "close",
            ], body: body)
    }

    private func write(
        _ events: AsyncThrowingStream<(index: Int, event: CompletionEvent), any Error>,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        var format = format
        var usage = Usage()
        var outcome = Metrics.Outcome.answered
        do {
            try await writer.write(format.opening().serverSent)
            for try await (index, event) in events {
                note(event, index, &usage)
                var chunks = format.chunks(event, index: index)
                if format.sampling.tracesVisits, case .token(let token) = event {
                    chunks.append(TokenTrace(token: token, index: index).json(model))
                }
                if !chunks.isEmpty { try await writer.write(chunks.serverSent) }
            }
            try Task.checkCancellation()
            if format.sampling.includesUsage {
                try await writer.write([format.usageChunk(usage.json)].serverSent)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            outcome = .failed
            try await writer.write([APIError(500, "\(error)", code: "failed").json].serverSent)
        }
        try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
        metrics.count(outcome)
    }

    private func note(_ event: CompletionEvent, _ index: Int, _ usage: inout Usage) {
        guard case .end(let end) = event else { return }
        usage.add(end, countsPrompt: index % format.answersPerPrompt == 0)
        record.note(usage)
    }
}

extension [JSONValue] {
    /// Each as one server-sent event.
    fileprivate var serverSent: ByteBuffer {
        var buffer = ByteBuffer()
        for value in self {
            buffer.writeString("data: ")
            buffer.writeBytes(value.jsonBytes)
            buffer.writeString("\n\n")
        }
        return buffer
    }
}

extension Response {
    /// A JSON body.
    init(_ json: JSONValue, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.jsonBytes)))
    }

    /// A JSON body after which the connection closes, because the request's end was waited for.
    init(closing json: JSONValue) {
        self.init(json)
        headers[.connection] = "close"
    }

    /// An error in OpenAI's shape.
    init(_ error: APIError) {
        self.init(error.json, status: HTTPResponse.Status(code: error.status))
        if let seconds = error.retrySeconds { headers[.retryAfter] = String(seconds) }
        if error.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
    }
}
