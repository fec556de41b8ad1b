import HTTPTypes
import Hummingbird
import HummingbirdCore
import WebFiles

/// The dashboard: three files, and what it shows. A further view is a message of `StatusMonitor`,
/// or a part of one, and a section of the page.
struct DashboardRoutes: Sendable {
    let monitor: StatusMonitor

    /// Paths that need no key: they say nothing about this server.
    static let openPaths = Set(WebFile.dashboard.map(\.path))

    func add(to router: Router<APIContext>) {
        for file in WebFile.dashboard {
            router.answer(.get, RouterPath(file.path)) { _, _ in Response(file) }
        }
        router.answer(.get, "/dashboard/status") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: monitor.json())))
        }
        router.answer(.get, "/dashboard/events") { request, _ in try events(request) }
    }

    /// Server-sent events: `placement` and `popularity` at first and when they change, `status` at
    /// every look.
    private func events(_ request: Request) throws -> Response {
        let stream = try monitor.follow()
        let body = ResponseBody { writer in
            // The compiler cannot see that the closure below ends before the writer does.
            var out = writer
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                for await messages in stream { try await out.write(messages.serverSent) }
                try await out.finish(nil)
            }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
                .connection: "close",
            ], body: body)
    }
}

extension [StatusMonitor.Message] {
    fileprivate var serverSent: ByteBuffer {
        var buffer = ByteBuffer()
        for message in self {
            buffer.writeString("event: \(message.name)\ndata: ")
            buffer.writeBytes(message.json)
            buffer.writeString("\n\n")
        }
        return buffer
    }
}

extension Response {
    /// A file of the page, which may load nothing but the other two and talk to nobody but us.
    fileprivate init(_ file: WebFile) {
        self.init(
            status: .ok,
            headers: [
                .contentType: file.type, .cacheControl: "no-cache",
                .contentSecurityPolicy: Self.policy, .xContentTypeOptions: "nosniff",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
        if let name = HTTPField.Name("referrer-policy") { headers[name] = "no-referrer" }
    }

    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        + "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
