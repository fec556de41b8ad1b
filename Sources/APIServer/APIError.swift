import OrderedJSON

/// Why a request is not answered, in OpenAI's shape.
package struct APIError: Error, Equatable {
    /// The status of requests whose client did not wait for the end, as nginx logs it.
    static let goneAway = 499

    /// The status of HTTP.
    package let status: Int
    /// One line that names the field and the limit.
    package let message: String
    /// The field at fault, or nil.
    package let field: String?
    /// A word for programs, or nil.
    package let code: String?
    /// When to try again, in seconds, or nil.
    package let retrySeconds: Int?

    package init(
        _ status: Int, _ message: String, field: String? = nil, code: String? = nil,
        retrySeconds: Int? = nil
    ) {
        self.status = status
        self.message = message
        self.field = field
        self.code = code
        self.retrySeconds = retrySeconds
    }

    /// A field whose value cannot be taken.
    static func invalid(_ field: String, _ message: String) -> APIError {
        APIError(400, "\(field): \(message)", field: field, code: "invalid_value")
    }

    /// A field that asks for what this server cannot do yet.
    static func unsupported(_ field: String, _ what: String) -> APIError {
        APIError(
            400, "\(field): \(what) is not supported yet", field: field,
            code: "unsupported_value")
    }

    private var type: String {
        switch status {
        case 401: "authentication_error"
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    /// The body of the answer.
    var json: JSONValue {
        .members([
            (
                "error",
                .members([
                    ("message", .text(message)), ("type", .text(type)),
                    ("param", field.map(JSONValue.text) ?? .null),
                    ("code", code.map(JSONValue.text) ?? .null),
                ])
            )
        ])
    }
}
