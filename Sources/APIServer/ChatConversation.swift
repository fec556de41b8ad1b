import ChatTemplates
import OrderedJSON

/// A conversation as a request tells it and as templates want it.
struct ChatConversation {
    /// Whether the model may call functions.
    let hasTools: Bool
    /// `messages` and `tools`.
    let context: TemplateObject

    init(_ fields: RequestFields, body: [UInt8]) throws(APIError) {
        try Self.refuseConstraints(fields)
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
        var tools: TemplateValue = .null
        if try fields.text(choice: "tool_choice") != "none",
            let list = try fields.array("tools", limit: 128), !list.isEmpty
        {
            for (index, tool) in list.enumerated()
            where tool["type"]?.text != "function" || tool["function"]?["name"]?.text == nil {
                throw .invalid("tools[\(index)]", "must be a function with a name")
            }
            tools = members["tools"] ?? .null
        }
        context["tools"] = tools
        hasTools = tools != .null
        self.context = context
    }

    /// Refuses what would need answers drawn under a constraint.
    private static func refuseConstraints(_ fields: RequestFields) throws(APIError) {
        switch try fields.text(choice: "tool_choice") {
        case nil, "auto", "none": break
        case "required", "function":
            throw .unsupported("tool_choice", "to force a call")
        default:
            throw .invalid("tool_choice", "must be \"auto\" or \"none\"")
        }
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

extension RequestFields {
    /// A text, or the type of an object.
    fileprivate func text(choice name: String) throws(APIError) -> String? {
        if case .object = self[name] { return try object(name)?.text("type") }
        return try text(name)
    }
}
