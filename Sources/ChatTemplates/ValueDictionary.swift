/// Python's dictionary: any hashable keys, in the order in which they were first set.
struct ValueDictionary {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    /// Levels of containers, this one included.
    private(set) var depth = 1
    /// What visiting all of it costs, at least.
    private(set) var weight = 1
    /// Positions of keys. Kept only beyond a size below which a scan is faster.
    private var positions: [HashableValue: Int] = [:]
    private static let scanned = 8

    init() {}

    init(pairs: [(Value, Value)]) {
        for (key, value) in pairs { self[key] = value }
    }

    var count: Int { keys.count }

    /// The key-value pairs as tuples.
    var items: [Value] { zip(keys, values).map { .tuple([$0, $1]) } }

    /// The keys must be hashable; see ``Value/checkHashable(_:)``.
    subscript(key: Value) -> Value? {
        get { position(of: key).map { values[$0] } }
        set {
            guard let newValue else {
                preconditionFailure("A template's dictionary keeps its keys.")
            }
            depth = max(depth, 1 + newValue.depth, 1 + key.depth)
            weight = Value.sum(weight, Value.sum(key.weight, newValue.weight))
            if let position = position(of: key) {
                values[position] = newValue
            } else {
                append(key, newValue)
            }
        }
    }

    subscript(name: String) -> Value? { self[.string(name)] }

    private mutating func append(_ key: Value, _ value: Value) {
        keys.append(key)
        values.append(value)
        if keys.count > Self.scanned + 1 {
            positions[HashableValue(value: key)] = keys.count - 1
        } else if keys.count == Self.scanned + 1 {
            for (index, key) in keys.enumerated() { positions[HashableValue(value: key)] = index }
        }
    }

    private func position(of key: Value) -> Int? {
        if keys.count > Self.scanned { return positions[HashableValue(value: key)] }
        return keys.firstIndex { $0.equals(key) }
    }
}

/// A key of a dictionary: equal and hashed as in Python, where `1`, `1.0` and `True` are one key.
struct HashableValue: Hashable {
    let value: Value

    static func == (left: HashableValue, right: HashableValue) -> Bool {
        left.value.equals(right.value)
    }

    func hash(into hasher: inout Hasher) {
        switch value {
        case .string(let text), .markup(let text): ExactKey(text: text).hash(into: &hasher)
        case .tuple(let list):
            for item in list.items { HashableValue(value: item).hash(into: &hasher) }
        default:
            // The rounding of large integers only makes two of them share a bucket.
            hasher.combine(value.double ?? -1)
        }
    }
}

extension Value {
    /// Whether the value can be a key.
    var isHashable: Bool {
        switch self {
        case .list, .dictionary: false
        case .view(let kind, _): kind == .values
        case .tuple(let list): list.items.allSatisfy(\.isHashable)
        default: true
        }
    }

    /// Refuses what cannot be a key, and counts the cost of one that can.
    func checkHashable(_ interpreter: Interpreter) throws {
        try interpreter.charge(weight)
        guard isHashable else { throw Failure(.type, "unhashable type: '\(typeName)'") }
    }
}
