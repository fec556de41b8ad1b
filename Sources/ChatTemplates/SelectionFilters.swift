/// Filters that map or select items, lazily as Python's generators do.
enum SelectionFilters {
    static let all: [String: Filters.Body] = [
        "map": map,
        "reject": { try select($0, $1, $2, hasAttribute: false, keeps: false) },
        "rejectattr": { try select($0, $1, $2, hasAttribute: true, keeps: false) },
        "select": { try select($0, $1, $2, hasAttribute: false, keeps: true) },
        "selectattr": { try select($0, $1, $2, hasAttribute: true, keeps: true) },
        "unique": unique,
    ]

    private typealias Transform = (Value) throws -> Value

    /// A generator that does nothing, not even check its arguments, before the first item is
    /// asked for.
    private static func generator(
        _ interpreter: Interpreter, _ value: Value, _ next: @escaping (Value) throws -> Value?
    ) -> Value {
        var source: ValueIterator?
        return .iterator(
            ValueIterator("generator", depth: 1 + value.depth) { [unowned interpreter] in
                guard value.isTrue else { return nil }
                return try interpreter.nested {
                    let items = try source ?? interpreter.iterate(value)
                    source = items
                    while let item = try items.next() {
                        try interpreter.charge(1)
                        if let result = try next(item) { return result }
                    }
                    return nil
                }
            })
    }

    private static func map(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        generator(interpreter, value) { [unowned interpreter] item in
            try transform(arguments, interpreter)(item)
        }
    }

    private static func transform(
        _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Transform {
        let attribute = arguments.keyword.first { $0.name == "attribute" }
        if arguments.positional.isEmpty, let attribute {
            let fallback = arguments.keyword.first { $0.name == "default" }
            if let unknown = arguments.keyword.first(where: {
                $0.name != "attribute" && $0.name != "default"
            }) {
                throw Failure(
                    .filterArgument, "Unexpected keyword argument '\(unknown.name)'")
            }
            let path = AttributePath(attribute.value)
            let given = Value.given(fallback?.value)
            return { try path.value(of: $0, fallback: given, interpreter) }
        }
        guard let name = arguments.positional.first else {
            throw Failure(.filterArgument, "map requires a filter argument")
        }
        let filter = try name.requireText("a filter's name")
        var rest = arguments
        rest.positional.removeFirst()
        return { try interpreter.filter(filter, $0, rest) }
    }

    private static func select(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments, hasAttribute: Bool,
        keeps: Bool
    ) throws -> Value {
        generator(interpreter, value) { [unowned interpreter] item in
            var rest = arguments
            var tested = item
            if hasAttribute {
                guard !rest.positional.isEmpty else {
                    throw Failure(.filterArgument, "Missing parameter for attribute name")
                }
                let path = AttributePath(rest.positional.removeFirst())
                tested = try path.value(of: item, interpreter)
            }
            guard !rest.positional.isEmpty else { return tested.isTrue == keeps ? item : nil }
            let test = try rest.positional.removeFirst().requireText("a test's name")
            return try interpreter.test(test, tested, rest) == keeps ? item : nil
        }
    }

    private static func unique(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_unique", ["case_sensitive", "attribute"])
        let path = AttributePath(values[1] ?? .none)
        let isSensitive = values[0]?.isTrue ?? false
        var seen = ValueDictionary()
        return generator(interpreter, value) { [unowned interpreter] item in
            let found = try path.value(of: item, interpreter)
            let key = isSensitive ? found : found.caseFolded
            try key.checkHashable(interpreter)
            guard seen[key] == nil else { return nil }
            seen[key] = .bool(true)
            return item
        }
    }
}
