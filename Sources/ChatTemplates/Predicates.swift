/// The tests after `is`.
enum Predicates {
    typealias Body = @Sendable (Interpreter, Value, Arguments) throws -> Bool

    static let all: [String: Body] = types.merging(comparisons) { $1 }.merging(others) { $1 }

    private static let types: [String: Body] = [
        "defined": { _, value, _ in !value.isUndefined },
        "undefined": { _, value, _ in value.isUndefined },
        "none": { _, value, _ in value.isNone },
        "boolean": { _, value, _ in isBoolean(value, nil) },
        "true": { _, value, _ in isBoolean(value, true) },
        "false": { _, value, _ in isBoolean(value, false) },
        "integer": { _, value, _ in value.typeName == "int" },
        "float": { _, value, _ in value.typeName == "float" },
        "number": { _, value, _ in value.double != nil },
        "string": { _, value, _ in value.text != nil },
        "mapping": { _, value, _ in value.typeName == "dict" },
        "sequence": { _, value, _ in isSequence(value) },
        "iterable": { _, value, _ in isIterable(value) },
        "callable": { _, value, _ in isCallable(value) },
        "escaped": { _, value, _ in value.typeName == "Markup" },
        "lower": { interpreter, value, _ in try value.string(interpreter).isLowercased },
        "upper": { interpreter, value, _ in try value.string(interpreter).isUppercased },
    ]

    private static let comparisons: [String: Body] = [
        "==": comparison(.equal), "eq": comparison(.equal), "equalto": comparison(.equal),
        "!=": comparison(.notEqual), "ne": comparison(.notEqual),
        ">": comparison(.greater), "gt": comparison(.greater),
        "greaterthan": comparison(.greater),
        ">=": comparison(.greaterOrEqual), "ge": comparison(.greaterOrEqual),
        "<": comparison(.less), "lt": comparison(.less), "lessthan": comparison(.less),
        "<=": comparison(.lessOrEqual), "le": comparison(.lessOrEqual),
    ]

    private static func comparison(_ symbol: ComparisonOperator) -> Body {
        { try $0.compare($1, symbol, try argument(symbol.rawValue, $2)) }
    }

    private static let others: [String: Body] = [
        "in": { try $0.contains($1, in: try argument("in", $2)) },
        "sameas": { isSame($1, try argument("sameas", $2)) },
        "odd": { interpreter, value, _ in
            try remainder(value, .int(2), interpreter).equals(.int(1))
        },
        "even": { interpreter, value, _ in
            try remainder(value, .int(2), interpreter).equals(.int(0))
        },
        "divisibleby": { interpreter, value, arguments in
            let divisor = try arguments.bind("test_divisibleby", ["num"], required: 1)[0]
            return try remainder(value, divisor ?? .none, interpreter).equals(.int(0))
        },
        "filter": { _, value, _ in value.text.map(Filters.exists) ?? false },
        "test": { _, value, _ in value.text.map { all[$0] != nil } ?? false },
    ]

    private static func argument(_ name: String, _ arguments: Arguments) throws -> Value {
        try arguments.bind(name, ["other"], required: 1)[0] ?? .none
    }

    private static func isBoolean(_ value: Value, _ wanted: Bool?) -> Bool {
        guard case .bool(let value) = value else { return false }
        return wanted.map { $0 == value } ?? true
    }

    private static func isSequence(_ value: Value) -> Bool {
        switch value {
        case .string, .markup, .list, .tuple, .dictionary, .range, .undefined: true
        default: false
        }
    }

    private static func isIterable(_ value: Value) -> Bool {
        switch value {
        case .none, .bool, .int, .float, .namespace, .macro, .function: false
        default: true
        }
    }

    private static func isCallable(_ value: Value) -> Bool {
        switch value {
        case .function, .macro, .loop, .undefined: true
        default: false
        }
    }

    /// Python's `is`, for the values of which there is only one; text and objects by value.
    /// Whether two lists are one object is not known here.
    private static func isSame(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.none, .none): true
        case (.bool, _), (_, .bool), (.int, _), (_, .int), (.float, _), (_, .float): false
        case (.list, _), (.tuple, _), (.dictionary, _): false
        default: left.equals(right)
        }
    }

    private static func remainder(
        _ value: Value, _ divisor: Value, _ interpreter: Interpreter
    ) throws -> Value {
        try Arithmetic.apply(.modulo, value, divisor, interpreter)
    }
}
