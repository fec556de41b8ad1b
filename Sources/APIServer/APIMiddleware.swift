import Hummingbird
import Logging
import OrderedJSON

/// Turns every error into OpenAI's shape, and counts.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let metrics: Metrics

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            let response = try await next(request, context)
            // A stream is counted when it ends.
            let isStream = response.headers[.contentType]?.hasPrefix("text/event-stream") == true
            if request.method == .post, !isStream { metrics.count(.answered) }
            return response
        } catch let error as APIError {
            metrics.count(.refused)
            return Response(error)
        } catch let error as HTTPError {
            metrics.count(.refused)
            let line = "\(request.method.rawValue) \(request.uri.path.prefix(200)): "
            return Response(
                APIError(
                    error.status.code,
                    line + (error.body ?? "there is nothing at this path for this method"),
                    code: error.status == .notFound ? "not_found" : nil))
        } catch is CancellationError {
            metrics.count(.cancelled)
            return Response(APIError(APIError.goneAway, "the client went away", code: "cancelled"))
        } catch {
            metrics.count(.failed)
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
            return Response(APIError(500, "\(error)", code: "failed"))
        }
    }
}

/// Lets in only who has a key, except where probes and scrapers look.
struct KeyMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let keys: APIKeys

    private static let openPaths = DashboardRoutes.openPaths.union(["/health", "/ready"])

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let isOpen = Self.openPaths.contains(request.uri.path)
        guard isOpen || isKnown(request.headers[.authorization]) else {
            throw APIError(
                401, "a key is needed: Authorization: Bearer KEY", code: "invalid_api_key")
        }
        return try await next(request, context)
    }

    private func isKnown(_ header: String?) -> Bool {
        guard let header, header.lowercased().hasPrefix("bearer ") else { return false }
        return keys.contain(String(header.dropFirst(7)))
    }
}
