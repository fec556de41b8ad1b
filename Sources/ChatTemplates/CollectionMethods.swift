/// Methods of dictionaries, lists and tuples. Those that would change one are hidden.
enum CollectionMethods {
    static let dictionary: [String: Methods.Body<ValueDictionary>] = [
        "get": get,
        "keys": { receiver, arguments, _ in try view(.keys, receiver, arguments) },
        "values": { receiver, arguments, _ in try view(.values, receiver, arguments) },
        "items": { receiver, arguments, _ in try view(.items, receiver, arguments) },
        "copy": { receiver, _, _ in .dictionary(receiver) },
        "fromkeys": fromKeys,
    ]

    static let sequence: [String: Methods.Body<[Value]>] = [
        "count": count,
        "index": index,
    ]

    private static func get(
        _ receiver: ValueDictionary, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        guard arguments.keyword.isEmpty else {
            throw Failure(.type, "dict.get() takes no keyword arguments")
        }
        let values = try arguments.bind("get", ["key", "default"], required: 1)
        let key = values[0] ?? .none
        try key.checkHashable(interpreter)
        return receiver[key] ?? values[1] ?? .none
    }

    private static func view(
        _ kind: ViewKind, _ receiver: ValueDictionary, _ arguments: Arguments
    ) throws -> Value {
        _ = try arguments.bind(kind.rawValue, [])
        return .view(kind, receiver)
    }

    private static func fromKeys(
        _: ValueDictionary, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let values = try arguments.bind("fromkeys", ["iterable", "value"], required: 1)
        var result = ValueDictionary()
        for key in try interpreter.sequence(values[0] ?? .none) {
            try key.checkHashable(interpreter)
            result[key] = values[1] ?? Value.none
        }
        return .dictionary(result)
    }

    private static func count(
        _ items: [Value], _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let value = try arguments.bind("count", ["value"], required: 1)[0] ?? .none
        try interpreter.charge(Value.list(items).weight)
        return .int(items.count { $0.equals(value) })
    }

    private static func index(
        _ items: [Value], _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let values = try arguments.bind("index", ["value", "start", "stop"], required: 1)
        let value = values[0] ?? .none
        try interpreter.charge(Value.list(items).weight)
        func bound(_ given: Value?, _ otherwise: Int) throws -> Int {
            guard let number = try given?.requireInteger() else { return otherwise }
            return max(0, min(items.count, number < 0 ? number + items.count : number))
        }
        let (start, stop) = (try bound(values[1], 0), try bound(values[2], items.count))
        for position in start..<max(start, stop) where items[position].equals(value) {
            return .int(position)
        }
        throw Failure(.value, "\(try value.representation(interpreter)) is not in list")
    }
}
