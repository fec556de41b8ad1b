extension Value {
    /// Python's `str(value)`.
    ///
    /// - Parameter interpreter: is charged for the text.
    func string(_ interpreter: Interpreter) throws -> String {
        switch self {
        case .undefined: return ""
        case .string(let text), .markup(let text): return text
        default:
            var text = ""
            try write(to: &text, interpreter, depth: 0)
            return text
        }
    }

    /// Python's `repr(value)`.
    func representation(_ interpreter: Interpreter) throws -> String {
        var text = ""
        try write(to: &text, interpreter, depth: 0)
        return text
    }

    private func write(to text: inout String, _ interpreter: Interpreter, depth: Int) throws {
        try interpreter.charge(1)
        try interpreter.checkText(text)
        guard depth <= TemplateLimits.valueDepth else {
            throw Failure(.limit, "A value has more than \(TemplateLimits.valueDepth) levels.")
        }
        switch self {
        case .undefined: text += "Undefined"
        case .none: text += "None"
        case .bool(let value): text += value ? "True" : "False"
        case .int(let value): text += String(value)
        case .float(let value): text += FloatText.representation(value)
        case .string(let value): text += Self.quoted(value)
        case .markup(let value): text += "Markup(" + Self.quoted(value) + ")"
        case .list(let list): try Self.write(list.items, "[", "]", &text, interpreter, depth)
        case .tuple(let list):
            let end = list.items.count == 1 ? ",)" : ")"
            try Self.write(list.items, "(", end, &text, interpreter, depth)
        case .dictionary(let dictionary):
            try Self.write(dictionary, &text, interpreter, depth)
        case .view(let kind, let dictionary):
            let items = dictionary.shown(kind)
            try Self.write(items, kind.rawValue + "([", "])", &text, interpreter, depth)
        case .range(let range):
            text += "range(\(range.start), \(range.stop)"
            text += range.step == 1 ? ")" : ", \(range.step))"
        case .namespace(let namespace):
            text += "<Namespace "
            try Self.write(namespace.attributes, &text, interpreter, depth)
            text += ">"
        case .loop(let loop): text += "<LoopContext \(loop.index0 + 1)/\(try loop.length())>"
        case .macro(let macro): text += "<Macro \(macro.name.map(Self.quoted) ?? "anonymous")>"
        case .iterator(let iterator): text += "<\(iterator.typeName) object>"
        case .function(let function): text += "<built-in function \(function.name)>"
        }
    }

    private static func write(
        _ items: [Value], _ start: String, _ end: String, _ text: inout String,
        _ interpreter: Interpreter, _ depth: Int
    ) throws {
        text += start
        for (index, item) in items.enumerated() {
            if index > 0 { text += ", " }
            try item.write(to: &text, interpreter, depth: depth + 1)
        }
        text += end
    }

    private static func write(
        _ dictionary: ValueDictionary, _ text: inout String, _ interpreter: Interpreter,
        _ depth: Int
    ) throws {
        text += "{"
        for (index, (key, value)) in zip(dictionary.keys, dictionary.values).enumerated() {
            if index > 0 { text += ", " }
            try key.write(to: &text, interpreter, depth: depth + 1)
            text += ": "
            try value.write(to: &text, interpreter, depth: depth + 1)
        }
        text += "}"
    }

    /// Python's `repr` of a string: single quotes, unless only those occur in it.
    static func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
        var result = String.UnicodeScalarView([quote])
        for scalar in scalars {
            switch scalar {
            case quote, "\\": result.append(contentsOf: ["\\", scalar])
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\r": result.append(contentsOf: "\\r".unicodeScalars)
            case "\t": result.append(contentsOf: "\\t".unicodeScalars)
            case _ where scalar.isPrintable: result.append(scalar)
            default: result.append(contentsOf: escaped(scalar).unicodeScalars)
            }
        }
        result.append(quote)
        return String(result)
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        let value = scalar.value
        if value < 0x100 { return "\\x" + hexadecimal(value, digits: 2) }
        if value < 0x10000 { return "\\u" + hexadecimal(value, digits: 4) }
        return "\\U" + hexadecimal(value, digits: 8)
    }

    /// Lower-case hexadecimal digits, padded with zeros.
    static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

extension ValueDictionary {
    /// What a view of the kind has as items.
    func shown(_ kind: ViewKind) -> [Value] {
        switch kind {
        case .keys: keys
        case .values: values
        case .items: items
        }
    }
}
