/// The methods that Python's types have and the sandbox allows.
enum Methods {
    typealias Body<Receiver> = @Sendable (Receiver, Arguments, Interpreter) throws -> Value

    /// The method of the name, bound to its receiver; nil where the type has none.
    static func method(_ name: String, of receiver: Value) -> Value? {
        switch receiver {
        case .string(let text):
            guard let body = StringMethods.all[name] else { return nil }
            return bound(name, receiver) { try body(text, $1, $0) }
        case .markup(let text):
            guard let body = StringMethods.all[name] else { return nil }
            return bound(name, receiver) { interpreter, arguments in
                let escaped = try MarkupMethods.escaped(name, arguments, interpreter)
                return MarkupMethods.marked(try body(text, escaped, interpreter))
            }
        case .dictionary(let dictionary):
            guard let body = CollectionMethods.dictionary[name] else { return nil }
            return bound(name, receiver) { try body(dictionary, $1, $0) }
        case .list(let list):
            if name == "copy" { return bound(name, receiver) { _, _ in .list(list) } }
            guard let body = CollectionMethods.sequence[name] else { return nil }
            return bound(name, receiver) { try body(list.items, $1, $0) }
        case .tuple(let list):
            guard let body = CollectionMethods.sequence[name] else { return nil }
            return bound(name, receiver) { try body(list.items, $1, $0) }
        case .range(let range):
            guard let body = CollectionMethods.sequence[name] else { return nil }
            return bound(name, receiver) { try body(range.items, $1, $0) }
        case .int, .bool, .float: return NumberMethods.method(name, of: receiver)
        default: return nil
        }
    }

    static func bound(
        _ name: String, _ receiver: Value, _ body: @escaping Function.Body
    ) -> Value {
        .function(Function(name, depth: 1 + receiver.depth, body))
    }
}

/// What differs for text that is marked as safe: arguments are escaped, results are marked.
enum MarkupMethods {
    private static let escaping: Set<String> = [
        "join", "replace", "format", "ljust", "rjust", "center",
    ]

    static func escaped(
        _ name: String, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Arguments {
        guard escaping.contains(name) else { return arguments }
        var result = arguments
        result.positional = try result.positional.map { try escaped($0, interpreter) }
        result.keyword = try result.keyword.map { ($0.name, try escaped($0.value, interpreter)) }
        return result
    }

    private static func escaped(_ value: Value, _ interpreter: Interpreter) throws -> Value {
        switch value {
        case .string(let text): .string(HTMLText.escaped(text))
        case .list(let list): .list(try list.items.map { try escaped($0, interpreter) })
        case .tuple(let list): .tuple(try list.items.map { try escaped($0, interpreter) })
        default: value
        }
    }

    static func marked(_ value: Value) -> Value {
        switch value {
        case .string(let text): .markup(text)
        case .list(let list): .list(list.items.map(marked))
        case .tuple(let list): .tuple(list.items.map(marked))
        default: value
        }
    }
}

enum NumberMethods {
    static func method(_ name: String, of value: Value) -> Value? {
        switch (name, value) {
        case ("real", _): return value.integer.map { .int($0) } ?? value
        case ("imag", .float): return .float(0)
        case ("imag", _), ("denominator", .int), ("denominator", .bool):
            return .int(name == "imag" ? 0 : 1)
        case ("numerator", .int), ("numerator", .bool): return value.integer.map { .int($0) }
        case ("conjugate", _): return Methods.bound(name, value) { _, _ in value }
        case ("is_integer", .float(let number)):
            return Methods.bound(name, value) { _, _ in
                .bool(number.isFinite && number == number.rounded(.down))
            }
        case ("bit_length", .int), ("bit_length", .bool):
            let magnitude = (value.integer ?? 0).magnitude
            return Methods.bound(name, value) { _, _ in
                .int(UInt.bitWidth - magnitude.leadingZeroBitCount)
            }
        default: return nil
        }
    }
}
