import OrderedJSON
import Serving
import StructuredOutput

/// Which functions the model may call, and whether it has to.
struct ToolChoice {
    /// A function that the request offers.
    struct Function {
        let name: String
        /// The schema of its arguments; nil: it has none.
        let parameters: JSONValue?
        let isStrict: Bool
        /// Where the schema is in the request.
        let field: String
    }

    /// Most calls of one answer that has to be calls.
    static let callLimit = 16

    /// The functions that the model is told of; none where it may not call any.
    let functions: [Function]
    /// Those of which it has to call one; none where it need not.
    let forced: [Function]
    let allowsSeveral: Bool

    init(_ fields: RequestFields) throws(APIError) {
        var functions: [Function] = []
        for (index, tool) in (try fields.array("tools", limit: 128) ?? []).enumerated() {
            functions.append(try Self.function(tool, "tools[\(index)]"))
        }
        let (kind, name) = try Self.choice(fields)
        self.functions = kind == "none" ? [] : functions
        switch kind {
        case "none", "auto": forced = []
        case "required": forced = functions
        default: forced = functions.filter { $0.name == name }
        }
        if kind == "required" || kind == "function", forced.isEmpty {
            throw .invalid("tool_choice", "there is no such function in tools")
        }
        let isParallel = try fields.boolean("parallel_tool_calls") ?? true
        allowsSeveral = isParallel && kind != "function"
    }

    private static func choice(
        _ fields: RequestFields
    ) throws(APIError) -> (kind: String, name: String) {
        let field = "tool_choice"
        guard case .object = fields[field] else {
            let kind = try fields.text(field) ?? "auto"
            guard ["none", "auto", "required"].contains(kind) else {
                throw .invalid(
                    field, "must be \"none\", \"auto\", \"required\" or a function with its name")
            }
            return (kind, "")
        }
        let choice = try fields.object(field)
        guard try choice?.text("type") == "function",
            let name = try choice?.object("function")?.text("name")
        else { throw .invalid(field, "must have \"type\": \"function\" and a function's name") }
        return ("function", name)
    }

    private static func function(
        _ tool: JSONValue, _ field: String
    ) throws(APIError) -> Function {
        guard tool["type"]?.text == "function", let function = tool["function"],
            let name = function["name"]?.text
        else { throw .invalid(field, "must be a function with a name") }
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(ResponseFormat.isPartOfName)
        else {
            throw .invalid(
                "\(field).function.name", "must be of 1 to 64 letters, digits, - and _")
        }
        return Function(
            name: name, parameters: function["parameters"],
            isStrict: function["strict"] == .boolean(true), field: "\(field).function.parameters")
    }

    /// The constraint of an answer that has to be calls; nil if it need not be.
    func constraint(_ model: ServedModel) throws(APIError) -> TokenConstraint? {
        guard !forced.isEmpty else { return nil }
        guard let format = model.callFormat else {
            throw .unsupported(
                "tool_choice",
                "to force a call from this model, whose chat template has none of "
                    + "the known forms of calls: that")
        }
        var arguments: [(name: String, arguments: Grammar)] = []
        var key = Array("calls \(allowsSeveral)".utf8)
        for function in forced {
            key += [0] + Array(function.name.utf8) + [function.isStrict ? 1 : 0]
            key += (function.parameters ?? .null).jsonBytes
            let schema = try function.objectSchema()
            do throws(SchemaError) {
                let grammar = try Grammar(schema: schema, isStrict: function.isStrict)
                arguments.append((function.name, grammar))
            } catch {
                throw APIError(error, function.field)
            }
        }
        let form = format.form(
            arguments, most: allowsSeveral ? Self.callLimit : 1, model.tokenizer)
        return try model.grammars.constraint(key, "tools") { () throws(SchemaError) in
            try Grammar(form)
        }
    }

    /// Lets the answer's calls be seen, and end where no other call may follow.
    ///
    /// - Returns: what takes the calls out of the answer; nil if there can be none.
    func prepare(
        _ request: inout CompletionRequest, _ model: ServedModel
    ) -> ToolCallParser? {
        guard !functions.isEmpty else { return nil }
        let format = model.callFormat ?? .hermes
        request.showsSpecialTokens = format.needsSpecialTokens(model.tokenizer)
        if !allowsSeveral, forced.isEmpty, format.hasCertainEnd { request.stop.append(format.end) }
        return ToolCallParser(format, most: allowsSeveral ? .max : 1)
    }
}

extension ToolChoice.Function {
    /// The schema, held to objects: arguments are nothing else.
    fileprivate func objectSchema() throws(APIError) -> JSONValue {
        let type = JSONValue.Member(key: "type", value: .text("object"))
        switch parameters {
        case nil:
            return .members([
                ("type", .text("object")), ("additionalProperties", .boolean(false)),
            ])
        case .object(let members) where parameters?["type"] == nil:
            return .object(members.filter { $0.key != "type" } + [type])
        case .object(let members) where parameters?["type"] == .text("object"):
            return .object(members)
        default: throw .invalid(field, "must be a schema of objects")
        }
    }
}
