import ChatTemplates

/// A conversation as a request tells it and as templates want it.
struct ChatConversation {
    /// `messages` and `tools`.
    let context: TemplateObject

    /// - Parameter choice: tells whether the model hears of the request's `tools`.
    init(body: [UInt8], _ choice: ToolChoice) throws(APIError) {
        let request: TemplateValue
        do {
            request = try TemplateValue(json: body)
        } catch {
            throw APIError(400, "body: \(error)", code: "invalid_json")
        }
        guard case .object(let members) = request, case .array(let messages) = members["messages"],
            !messages.isEmpty
        else { throw .invalid("messages", "must be an array of at least one message") }
        var context: TemplateObject = [:]
        var read: [TemplateValue] = []
        for (index, message) in messages.enumerated() {
            read.append(try Self.message(message, "messages[\(index)]"))
        }
        context["messages"] = .array(read)
        context["tools"] = choice.functions.isEmpty ? .null : members["tools"] ?? .null
        self.context = context
    }

    /// A message with its text in one piece and its calls' arguments as values, which is how
    /// templates expect them.
    private static func message(
        _ value: TemplateValue, _ field: String
    ) throws(APIError) -> TemplateValue {
        guard case .object(var message) = value, case .string(let role) = message["role"] else {
            throw .invalid(field, "must be an object with a role")
        }
        guard ["system", "developer", "user", "assistant", "tool"].contains(role) else {
            throw .invalid("\(field).role", "\"\(role.prefix(40))\" is not known")
        }
        if role == "developer" { message["role"] = .string("system") }
        switch message["content"] {
        case .string: break
        case .array(let parts): message["content"] = .string(try text(parts, field))
        case nil, .null?:
            guard role == "assistant" else { throw .invalid("\(field).content", "is missing") }
            message["content"] = .string("")
        default: throw .invalid("\(field).content", "must be a text or an array of parts")
        }
        if case .array(let calls) = message["tool_calls"] {
            message["tool_calls"] = .array(calls.map(withArgumentsAsValue))
        }
        return .object(message)
    }

    private static func text(
        _ parts: [TemplateValue], _ field: String
    ) throws(APIError) -> String {
        var joined = ""
        for part in parts {
            guard case .object(let part) = part, part["type"] == .string("text"),
                case .string(let text) = part["text"]
            else { throw .unsupported("\(field).content", "a part that is not text") }
            joined += text
        }
        return joined
    }

    private static func withArgumentsAsValue(_ call: TemplateValue) -> TemplateValue {
        guard case .object(var members) = call, case .object(var function) = members["function"],
            case .string(let text) = function["arguments"],
            let arguments = try? TemplateValue(json: Array(text.utf8))
        else { return call }
        function["arguments"] = arguments
        members["function"] = .object(function)
        return .object(members)
    }
}
