import HTTPTypes
import Hummingbird

extension Router where Context == APIContext {
    /// Answers one method of a path (and HEAD with GET); refuses the others with 405.
    func answer(
        _ method: HTTPRequest.Method, _ path: RouterPath,
        _ handler: @escaping @Sendable (Request, APIContext) async throws -> Response
    ) {
        let answered: [HTTPRequest.Method] = method == .get ? [.get, .head] : [method]
        on(path, method: method, use: handler)
        if method == .get {
            on(path, method: .head) { try await handler($0, $1).createHeadResponse() }
        }
        let names = answered.map(\.rawValue).joined(separator: ", ")
        let others: [HTTPRequest.Method] =
            [.get, .head, .post, .put, .patch, .delete, .options, .trace]
            + [HTTPRequest.Method("QUERY")].compactMap { $0 }
        for other in others where !answered.contains(other) {
            on(path, method: other) { _, _ -> Response in
                throw APIError(
                    405, "\(other.rawValue) is not answered here, \(names) is",
                    code: "method_not_allowed", allow: names)
            }
        }
    }
}
