/// Python's `json.dumps`, as the `tojson` filter of transformers calls it.
struct JSONWriter {
    /// The text for one level of indentation; nil for one line.
    var indent: String?
    var itemSeparator = ", "
    var keySeparator = ": "
    var sortsKeys = false
    var escapesNonASCII = false
    private let interpreter: Interpreter
    private var text = ""

    init(_ interpreter: Interpreter) { self.interpreter = interpreter }

    /// The filter: `tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
    static func filter(
        _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let names = ["ensure_ascii", "indent", "separators", "sort_keys"]
        let values = try arguments.bind("tojson", names)
        var writer = JSONWriter(interpreter)
        writer.escapesNonASCII = values[0]?.isTrue ?? false
        if let indent = values[1], !indent.isNone {
            writer.itemSeparator = ","
            if let text = indent.text {
                writer.indent = text
            } else {
                let count = max(0, try indent.requireInteger())
                writer.indent = try Arithmetic.repeated(" ", count, interpreter)
            }
        }
        if let separators = values[2], !separators.isNone {
            let parts = try interpreter.sequence(separators)
            guard parts.count == 2 else {
                throw Failure(.value, "tojson needs two separators, got \(parts.count)")
            }
            writer.itemSeparator = try parts[0].requireText("a separator")
            writer.keySeparator = try parts[1].requireText("a separator")
        }
        writer.sortsKeys = values[3]?.isTrue ?? false
        return .string(try writer.write(value))
    }

    private mutating func write(_ value: Value) throws -> String {
        text = ""
        try append(value, depth: 0)
        return text
    }

    private mutating func append(_ value: Value, depth: Int) throws {
        try interpreter.charge(value.text.map { 1 + $0.utf8.count / 16 } ?? 1)
        try interpreter.checkText(text)
        switch value {
        case .none: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .float(let value): text += Self.number(value)
        case .string(let value), .markup(let value): appendQuoted(value)
        case .list(let list), .tuple(let list): try append(list.items, depth)
        case .dictionary(let dictionary): try append(dictionary, depth)
        default:
            throw Failure(
                .type, "Object of type \(value.typeName) is not JSON serializable")
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return FloatText.representation(value)
    }

    private mutating func breakLine(_ depth: Int) {
        guard let indent else { return }
        text += "\n"
        for _ in 0..<depth { text += indent }
    }

    private mutating func append(_ items: [Value], _ depth: Int) throws {
        guard !items.isEmpty else { return text += "[]" }
        text += "["
        for (index, item) in items.enumerated() {
            if index > 0 { text += itemSeparator }
            breakLine(depth + 1)
            try append(item, depth: depth + 1)
        }
        breakLine(depth)
        text += "]"
    }

    private mutating func append(_ dictionary: ValueDictionary, _ depth: Int) throws {
        guard dictionary.count > 0 else { return text += "{}" }
        text += "{"
        for (index, position) in try order(dictionary).enumerated() {
            if index > 0 { text += itemSeparator }
            breakLine(depth + 1)
            appendQuoted(try Self.key(dictionary.keys[position]))
            text += keySeparator
            try append(dictionary.values[position], depth: depth + 1)
        }
        breakLine(depth)
        text += "}"
    }

    private func order(_ dictionary: ValueDictionary) throws -> [Int] {
        guard sortsKeys else { return Array(dictionary.keys.indices) }
        let positions = dictionary.keys.indices.map { Value.int($0) }
        let sorted = try positions.sorted(
            by: { dictionary.keys[$0.integer ?? 0] }, reverse: false)
        return sorted.compactMap(\.integer)
    }

    private static func key(_ key: Value) throws -> String {
        switch key {
        case .string(let text), .markup(let text): return text
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        case .float(let value): return number(value)
        default:
            throw Failure(
                .type,
                "keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private mutating func appendQuoted(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{C}": text += "\\f"
            case _ where scalar.value < 0x20 || (escapesNonASCII && scalar.value >= 0x7F):
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    text += "\\u" + Value.hexadecimal(UInt32(unit), digits: 4)
                }
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
