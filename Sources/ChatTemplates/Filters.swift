/// The filters by name.
enum Filters {
    typealias Body = @Sendable (Interpreter, Value, Arguments) throws -> Value

    private static let all: [String: Body] =
        TextFilters.all.merging(SequenceFilters.all) { $1 }.merging(NumberFilters.all) { $1 }
        .merging(SelectionFilters.all) { $1 }

    /// Filters of Jinja that this interpreter leaves out: they make HTML pages or chance.
    private static let refused: Set<String> = ["pprint", "random", "urlize"]

    static func exists(_ name: String) -> Bool { all[name] != nil || refused.contains(name) }

    static func apply(
        _ name: String, _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        try interpreter.charge(1)
        if let body = all[name] { return try body(interpreter, value, arguments) }
        if refused.contains(name) {
            throw Failure(.unsupported, "The filter '\(name)' is not supported.")
        }
        throw Failure(.runtime, "No filter named '\(name)' found.")
    }
}

/// Looks up a path such as `address.city` or `0.name`, as filters with an `attribute` do.
struct AttributePath {
    private let parts: [Value]

    init(_ attribute: Value) {
        if let text = attribute.text {
            parts = TextSearch.split(text, ".", limit: -1).map { part in
                let isNumber = part.holds { ("0"..."9").contains($0) }
                return isNumber ? Int(part).map { .int($0) } ?? .string(part) : .string(part)
            }
        } else {
            parts = attribute.isNone ? [] : [attribute]
        }
    }

    /// The value at the path; `fallback` stands for whatever is undefined on the way.
    func value(
        of item: Value, fallback: Value? = nil, _ interpreter: Interpreter
    ) throws -> Value {
        var value = item
        for part in parts {
            value = try interpreter.item(part, of: value)
            if let fallback, value.isUndefined { value = fallback }
        }
        return value
    }
}

extension Value {
    /// Lower-case text, any other value as it is: the key of sorting without case.
    var caseFolded: Value { text.map { .string($0.pythonLowercased) } ?? self }

    /// The value of an optional argument, where None counts as not given.
    static func given(_ value: Value?) -> Value? {
        guard let value, !value.isNone else { return nil }
        return value
    }
}
