/// A macro, or the body of a call block, with the scope that it sees.
final class Macro {
    let name: String?
    private let definition: MacroDefinition
    private let scope: Scope

    init(_ definition: MacroDefinition, _ scope: Scope, name: String? = nil) {
        self.definition = definition
        self.scope = scope
        self.name = name
    }

    var argumentCount: Int { definition.parameters.count }

    /// The text that the body writes with the arguments.
    func call(_ arguments: Arguments, _ interpreter: Interpreter) throws -> String {
        interpreter.macroDepth += 1
        defer { interpreter.macroDepth -= 1 }
        guard interpreter.macroDepth <= TemplateLimits.macroDepth else {
            throw Failure(.limit, "More than \(TemplateLimits.macroDepth) macros in each other.")
        }
        return try interpreter.nested {
            let inner = interpreter.enter(definition.body.scope, in: scope)
            try bind(arguments, inner, interpreter)
            return try interpreter.capture {
                _ = try interpreter.execute(definition.body.body, in: inner)
            }
        }
    }

    private func bind(
        _ arguments: Arguments, _ inner: Scope, _ interpreter: Interpreter
    ) throws {
        let names = interpreter.program.names
        var keyword = arguments.keyword
        for (index, parameter) in definition.parameters.enumerated() {
            if index < arguments.positional.count {
                inner.set(parameter, arguments.positional[index])
            } else if let given = keyword.firstIndex(where: { $0.name == names[parameter] }) {
                inner.set(parameter, keyword.remove(at: given).value)
            }
        }
        try bindSpecial(arguments, &keyword, inner, names)
        let firstDefault = definition.parameters.count - definition.defaults.count
        for (index, parameter) in definition.parameters.enumerated()
        where inner.value(parameter) == nil && inner.plan.names.contains(parameter) {
            if index >= firstDefault {
                let value = definition.defaults[index - firstDefault]
                inner.set(parameter, try interpreter.evaluate(value, inner))
            } else {
                let name = names[parameter]
                inner.set(
                    parameter, .undefined(Undefined("parameter '\(name)' was not provided")))
            }
        }
    }

    /// Sets `caller`, `kwargs` and `varargs` where the body uses them, and refuses arguments that
    /// nothing takes.
    private func bindSpecial(
        _ arguments: Arguments, _ keyword: inout [(name: String, value: Value)], _ inner: Scope,
        _ names: [String]
    ) throws {
        func set(_ name: String, _ value: Value) {
            for id in inner.plan.names where names[id] == name { inner.set(id, value) }
        }
        if inner.plan.usesCaller {
            let given = keyword.firstIndex { $0.name == "caller" }
            let none = Value.undefined(Undefined("No caller defined"))
            set("caller", given.map { keyword.remove(at: $0).value } ?? none)
        }
        if inner.plan.usesKwargs {
            set(
                "kwargs",
                .dictionary(
                    ValueDictionary(pairs: keyword.map { (.string($0.name), $0.value) })))
        } else if let unknown = keyword.first {
            throw Failure(
                .type,
                "macro \(described) takes no keyword argument '\(unknown.name)'")
        }
        let extra = arguments.positional.dropFirst(definition.parameters.count)
        if inner.plan.usesVarargs {
            set("varargs", .tuple(Array(extra)))
        } else if !extra.isEmpty {
            throw Failure(
                .type,
                "macro \(described) takes not more than \(definition.parameters.count) argument(s)")
        }
    }

    private var described: String { name.map { "'\($0)'" } ?? "None" }
}
