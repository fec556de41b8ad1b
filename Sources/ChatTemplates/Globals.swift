/// The functions that every template can call.
enum Globals {
    /// The global of the name, or nil.
    static func value(_ name: String) -> Value? {
        switch name {
        case "range": .function(Function(name, range))
        case "dict": .function(Function(name, dictionary))
        case "namespace": .function(Function(name, namespace))
        case "raise_exception": .function(Function(name, raise))
        case "strftime_now": .function(Function(name, formatNow))
        case "joiner": .function(Function(name, joiner))
        default: nil
        }
    }

    private static func range(_: Interpreter, _ arguments: Arguments) throws -> Value {
        guard arguments.keyword.isEmpty, (1...3).contains(arguments.positional.count) else {
            throw Failure(.type, "range expected 1 to 3 arguments")
        }
        let numbers = try arguments.positional.map { try $0.requireInteger() }
        let step = numbers.count == 3 ? numbers[2] : 1
        guard step != 0 else { throw Failure(.value, "range() arg 3 must not be zero") }
        let start = numbers.count == 1 ? 0 : numbers[0]
        let stop = numbers.count == 1 ? numbers[0] : numbers[1]
        guard let range = RangeValue(start: start, stop: stop, step: step),
            range.count <= TemplateLimits.rangeItems
        else {
            throw Failure(
                .overflow,
                "Range too big. The sandbox blocks ranges larger than MAX_RANGE "
                    + "(\(TemplateLimits.rangeItems)).")
        }
        return .range(range)
    }

    private static func dictionary(
        _ interpreter: Interpreter, _ arguments: Arguments
    ) throws -> Value {
        guard arguments.positional.count <= 1 else {
            throw Failure(.type, "dict expected at most 1 argument")
        }
        var result = ValueDictionary()
        if let source = arguments.positional.first { result = try pairs(of: source, interpreter) }
        for (name, value) in arguments.keyword { result[.string(name)] = value }
        return .dictionary(result)
    }

    private static func pairs(
        of source: Value, _ interpreter: Interpreter
    ) throws -> ValueDictionary {
        if case .dictionary(let dictionary) = source { return dictionary }
        var result = ValueDictionary()
        for pair in try interpreter.sequence(source) {
            let parts = try interpreter.sequence(pair)
            guard parts.count == 2 else {
                throw Failure(
                    .value,
                    "dictionary update sequence element has length \(parts.count); 2 is required")
            }
            try parts[0].checkHashable(interpreter)
            result[parts[0]] = parts[1]
        }
        return result
    }

    private static func namespace(
        _ interpreter: Interpreter, _ arguments: Arguments
    ) throws -> Value {
        guard case .dictionary(let attributes) = try dictionary(interpreter, arguments) else {
            preconditionFailure("A dictionary was made.")
        }
        for key in attributes.keys { try key.text.map(checkName) }
        let namespace = Namespace()
        namespace.attributes = attributes
        interpreter.register(namespace)
        return .namespace(namespace)
    }

    /// Refuses names of attributes that the sandbox hides.
    static func checkName(_ name: String) throws {
        guard !name.hasPrefix("_") else {
            throw Failure(
                .security,
                "Chat templates cannot store underscore-prefixed attributes on a namespace, but "
                    + "got \(Value.quoted(name)). Please rename the attribute.")
        }
    }

    private static func raise(_ interpreter: Interpreter, _ arguments: Arguments) throws -> Value {
        let message = try arguments.bind("raise_exception", ["message"], required: 1)[0] ?? .none
        throw Failure(.raised, try message.string(interpreter))
    }

    private static func formatNow(
        _ interpreter: Interpreter, _ arguments: Arguments
    ) throws -> Value {
        let format = try arguments.bind("strftime_now", ["format"], required: 1)[0] ?? .none
        return .string(interpreter.now.formatted(try format.requireText("strftime() argument 1")))
    }

    /// Jinja's `joiner`: empty at the first call, then the separator.
    private static func joiner(_: Interpreter, _ arguments: Arguments) throws -> Value {
        let separator = try arguments.bind("joiner", ["sep"])[0] ?? .string(", ")
        var isUsed = false
        return .function(
            Function("joiner", depth: 1 + separator.depth) { _, _ in
                defer { isUsed = true }
                return isUsed ? separator : .string("")
            })
    }
}
