/// A value while a template is rendered: the Python value that Jinja would have.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    /// Text marked as safe (`|safe`, `|escape`): what is added to it is escaped for HTML.
    case markup(String)
    case list(ValueList)
    case tuple(ValueList)
    case dictionary(ValueDictionary)
    case view(ViewKind, ValueDictionary)
    case range(RangeValue)
    case iterator(ValueIterator)
    case namespace(Namespace)
    case macro(Macro)
    case loop(LoopState)
    case function(Function)
}

/// Which part of a dictionary a view shows; the raw value is Python's name of the type.
enum ViewKind: String {
    case keys = "dict_keys"
    case values = "dict_values"
    case items = "dict_items"
}

/// The items of a list or tuple.
struct ValueList {
    let items: [Value]
    /// Levels of containers, this one included.
    let depth: Int
    /// What visiting all of it costs, in units of ``TemplateLimits/work``.
    let weight: Int
    /// Whether it is a pair made by `groupby`, whose parts have the names `grouper` and `list`.
    var isGroup = false

    init(_ items: [Value]) {
        self.items = items
        depth = 1 + (items.lazy.map(\.depth).max() ?? 0)
        weight = items.reduce(1) { Value.sum($0, $1.weight) }
    }
}

/// What is left of a name or attribute that does not exist.
final class Undefined {
    let message: String
    /// What using it is reported as: `undefined`, or `security` for what the sandbox hides.
    let code: ChatTemplateError.Code

    init(_ message: String, code: ChatTemplateError.Code = .undefined) {
        self.message = message
        self.code = code
    }

    var failure: Failure { Failure(code, message) }
}

/// Attributes that a template may set: the only thing that it can change.
final class Namespace {
    var attributes = ValueDictionary()
}

/// Something to call that is not a macro: a method with its receiver, or a global function.
final class Function {
    typealias Body = (Interpreter, Arguments) throws -> Value

    let name: String
    let depth: Int
    let body: Body

    init(_ name: String, depth: Int = 0, _ body: @escaping Body) {
        self.name = name
        self.depth = depth
        self.body = body
    }
}

/// Python's `range`.
struct RangeValue {
    let start: Int
    let stop: Int
    let step: Int
    let count: Int

    /// Items `start, start + step, …` before `stop`; `step` is not 0. Nil when out of bounds.
    init?(start: Int, stop: Int, step: Int) {
        (self.start, self.stop, self.step) = (start, stop, step)
        let (distance, overflow) =
            step > 0
            ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        guard !overflow, step != Int.min else { return nil }
        count = distance <= 0 ? 0 : (distance - 1) / abs(step) + 1
    }

    subscript(index: Int) -> Value { .int(start + index * step) }

    var items: [Value] { (0..<count).map { self[$0] } }
}

/// Python's iterators and generators: items come once, and only when asked for.
final class ValueIterator {
    let typeName: String
    /// Levels of iterators and containers that this one draws from.
    let depth: Int
    private let advance: () throws -> Value?

    init(_ typeName: String, depth: Int, _ advance: @escaping () throws -> Value?) {
        self.typeName = typeName
        self.depth = depth
        self.advance = advance
    }

    convenience init(_ items: [Value], typeName: String = "list_iterator", depth: Int = 1) {
        var position = 0
        self.init(typeName, depth: depth) {
            guard position < items.count else { return nil }
            position += 1
            return items[position - 1]
        }
    }

    func next() throws -> Value? { try advance() }
}

extension Value {
    static func list(_ items: [Value]) -> Value { .list(ValueList(items)) }

    static func tuple(_ items: [Value]) -> Value { .tuple(ValueList(items)) }

    init(_ value: TemplateValue) {
        switch value {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = .float(value)
        case .string(let value): self = .string(value)
        case .array(let items): self = .list(items.map { Value($0) })
        case .object(let object):
            self = .dictionary(
                ValueDictionary(
                    pairs: zip(object.keys, object.values).map { (.string($0), Value($1)) }))
        }
    }

    /// The text of a string, marked as safe or not.
    var text: String? {
        switch self {
        case .string(let text), .markup(let text): text
        default: nil
        }
    }

    /// An integer, or a boolean taken as one, as Python does.
    var integer: Int? {
        switch self {
        case .int(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    /// Any number as floating point.
    var double: Double? {
        if case .float(let value) = self { return value }
        return integer.map(Double.init)
    }

    var isUndefined: Bool {
        if case .undefined = self { true } else { false }
    }

    var isNone: Bool {
        if case .none = self { true } else { false }
    }

    /// The items of a list or tuple.
    var items: [Value]? {
        switch self {
        case .list(let list), .tuple(let list): list.items
        default: nil
        }
    }

    /// Levels of containers in the value; 0 for a plain one.
    var depth: Int {
        switch self {
        case .list(let list), .tuple(let list): list.depth
        case .dictionary(let dictionary), .view(_, let dictionary): dictionary.depth
        case .iterator(let iterator): iterator.depth
        case .function(let function): function.depth
        default: 0
        }
    }

    /// What visiting all of the value costs. A value that is part of itself many times over is
    /// small in memory and large to compare, so the sum is kept with each container.
    var weight: Int {
        switch self {
        case .string(let text), .markup(let text): 1 + text.utf8.count / 16
        case .list(let list), .tuple(let list): list.weight
        case .dictionary(let dictionary), .view(_, let dictionary): dictionary.weight
        default: 1
        }
    }

    /// A sum of costs; beyond the limit on work all are the same.
    static func sum(_ left: Int, _ right: Int) -> Int {
        min(left + right, TemplateLimits.work + 1)
    }

    /// Python's truth of a value.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .float(let value): value != 0
        case .string(let text), .markup(let text): !text.isEmpty
        case .list(let list), .tuple(let list): !list.items.isEmpty
        case .dictionary(let dictionary), .view(_, let dictionary): dictionary.count > 0
        case .range(let range): range.count > 0
        case .loop(let loop): (try? loop.length()) != 0
        case .iterator, .namespace, .macro, .function: true
        }
    }

    /// Python's name of the type, for messages.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .float: "float"
        case .string: "str"
        case .markup: "Markup"
        case .list: "list"
        case .tuple: "tuple"
        case .dictionary: "dict"
        case .view(let kind, _): kind.rawValue
        case .range: "range"
        case .iterator(let iterator): iterator.typeName
        case .namespace: "TemplateNamespace"
        case .macro: "Macro"
        case .loop: "LoopContext"
        case .function: "builtin_function_or_method"
        }
    }
}
