import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import SystemModel

/// Gives every request an id and writes one line about it when its answer has been sent.
///
/// The line has the id, method, path without query, status, duration and tokens; never a prompt, an
/// answer or a key. Probes and scrapes are logged at `debug`, server errors at `error`, refusals
/// for now (503) at `warning`, all else at `info`.
struct LogMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let logger: Logger
    let clock: any MonotonicClock
    let randomNumber: @Sendable () -> UInt64

    /// Most bytes of a path in a line.
    private static let pathLimit = 200
    private static let quietPaths: Set = [
        "/health", "/ready", "/metrics", "/", "/dashboard/app.js", "/dashboard/style.css",
        "/dashboard/status",
    ]

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let line = Line(
            id: request.headers[.requestID].flatMap(Self.checked)
                ?? "req-" + String(randomNumber(), radix: 16),
            method: request.method.rawValue, path: request.uri.path, start: clock.now)
        var response = try await next(request, context)
        response.headers[.requestID] = line.id
        let status = response.status.code
        guard response.body.contentLength == nil else {
            write(line, status, context.record)
            return response
        }
        let body = response.body
        response.body = ResponseBody { writer in
            do {
                try await body.write(writer)
                write(line, status, context.record)
            } catch {
                write(line, APIError.goneAway, context.record)
                throw error
            }
        }
        return response
    }

    /// What is known of a request when it comes.
    private struct Line: Sendable {
        let id: String
        let method: String
        let path: String
        let start: Duration
    }

    private func write(_ line: Line, _ status: Int, _ record: RequestRecord) {
        var metadata: Logger.Metadata = [
            "id": "\(line.id)", "method": "\(line.method)",
            "path": "\(line.path.prefix(Self.pathLimit))", "status": "\(status)",
            "seconds": "\(Self.rounded((clock.now - line.start).seconds))",
        ]
        let tokens = record.tokens
        if tokens.prompt + tokens.answer > 0 {
            metadata["prompt_tokens"] = "\(tokens.prompt)"
            metadata["answer_tokens"] = "\(tokens.answer)"
        }
        logger.log(level: Self.level(line, status), "request", metadata: metadata)
    }

    /// To microseconds.
    private static func rounded(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e6 }

    private static func level(_ line: Line, _ status: Int) -> Logger.Level {
        if quietPaths.contains(line.path) { return .debug }
        return status == 503 ? .warning : status >= 500 ? .error : .info
    }

    /// A client's own id, if it is one that a line can hold.
    private static func checked(_ id: String) -> String? {
        let isPlain = id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        return !id.isEmpty && id.utf8.count <= 128 && isPlain ? id : nil
    }
}

extension HTTPField.Name {
    /// The id of a request, in requests and answers.
    fileprivate static let requestID = HTTPField.Name("x-request-id") ?? .accept
}
