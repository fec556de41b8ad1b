/// Python's `format.format(…)`.
struct BraceFormat {
    private var rest: ArraySlice<Unicode.Scalar>
    private let arguments: Arguments
    private var nextIndex = 0
    private let interpreter: Interpreter

    static func format(
        _ format: String, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> String {
        var formatter = BraceFormat(
            rest: Array(format.unicodeScalars)[...], arguments: arguments,
            interpreter: interpreter)
        return try formatter.run()
    }

    private init(
        rest: ArraySlice<Unicode.Scalar>, arguments: Arguments, interpreter: Interpreter
    ) {
        self.rest = rest
        self.arguments = arguments
        self.interpreter = interpreter
    }

    private mutating func run() throws -> String {
        var result = ""
        while let scalar = rest.popFirst() {
            guard scalar == "{" || scalar == "}" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if rest.first == scalar {
                rest.removeFirst()
                result.unicodeScalars.append(scalar)
            } else if scalar == "}" {
                throw Failure(.value, "Single '}' encountered in format string")
            } else {
                result += try replacement()
                try interpreter.charge(1)
                try interpreter.checkText(result)
            }
        }
        return result
    }

    /// `name!conversion:specification}`, after the brace.
    private mutating func replacement() throws -> String {
        let name = takeUntil("!:}")
        var conversion: Unicode.Scalar?
        if rest.first == "!" {
            rest.removeFirst()
            conversion = rest.popFirst()
        }
        var specification = ""
        if rest.first == ":" {
            rest.removeFirst()
            specification = try self.specification()
        }
        guard rest.popFirst() == "}" else {
            throw Failure(.value, "expected '}' before end of string")
        }
        let value = try converted(try field(name), conversion)
        return try text(value, specification)
    }

    private mutating func takeUntil(_ ends: String) -> String {
        var brackets = 0
        let part = rest.prefix { scalar in
            brackets += scalar == "[" ? 1 : scalar == "]" ? -1 : 0
            return brackets > 0 || !ends.unicodeScalars.contains(scalar)
        }
        rest = rest.dropFirst(part.count)
        return String(scalars: part)
    }

    /// The text up to the closing brace; a name in braces in it is replaced by its value.
    private mutating func specification() throws -> String {
        var result = ""
        while let scalar = rest.first, scalar != "}" {
            rest.removeFirst()
            if scalar == "{" {
                let name = takeUntil("}")
                guard rest.popFirst() == "}" else {
                    throw Failure(.value, "expected '}' before end of string")
                }
                result += try (try field(name)).string(interpreter)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `0`, `name`, `name.attribute`, `name[key]`, or nothing for the next one.
    private mutating func field(_ path: String) throws -> Value {
        var scalars = Array(path.unicodeScalars)[...]
        let first = scalars.prefix { $0 != "." && $0 != "[" }
        scalars = scalars.dropFirst(first.count)
        var value = try argument(String(scalars: first))
        while let mark = scalars.popFirst() {
            let isAttribute = mark == "."
            let part = scalars.prefix { isAttribute ? $0 != "." && $0 != "[" : $0 != "]" }
            scalars = scalars.dropFirst(part.count + (isAttribute ? 0 : 1))
            let name = String(scalars: part)
            if isAttribute {
                value = try interpreter.attribute(name, of: value)
            } else {
                let key = Int(name).map { Value.int($0) } ?? .string(name)
                value = try interpreter.item(key, of: value)
            }
        }
        return value
    }

    private mutating func argument(_ name: String) throws -> Value {
        if name.isEmpty || Int(name) != nil {
            let index = Int(name) ?? nextIndex
            if name.isEmpty { nextIndex += 1 }
            guard arguments.positional.indices.contains(index) else {
                throw Failure(
                    .index, "Replacement index \(index) out of range for positional args tuple")
            }
            return arguments.positional[index]
        }
        guard let argument = arguments.keyword.last(where: { $0.name.isExactly(name) }) else {
            throw Failure(.key, Value.quoted(name))
        }
        return argument.value
    }

    private func converted(_ value: Value, _ conversion: Unicode.Scalar?) throws -> Value {
        switch conversion {
        case nil: return value
        case "s": return .string(try value.string(interpreter))
        case "r", "a": return .string(try value.representation(interpreter))
        case .some(let conversion):
            throw Failure(.value, "Unknown conversion specifier \(conversion)")
        }
    }

    private func text(_ value: Value, _ source: String) throws -> String {
        if source.isEmpty { return try value.string(interpreter) }
        var specification = try Self.parse(source)
        switch value {
        case .int(let number): return try specification.integer(number)
        case .bool(let flag): return try specification.integer(flag ? 1 : 0)
        case .float(let number): return try specification.float(number)
        case .string, .markup:
            if specification.align == "=" { specification.align = "<" }
            guard specification.type == nil || specification.type == "s" else {
                throw Failure(
                    .value,
                    "Unknown format code '\(specification.type ?? "s")' for object of type 'str'")
            }
            return specification.text(try value.string(interpreter))
        case .undefined: return specification.text("")
        default:
            throw Failure(
                .type, "unsupported format string passed to \(value.typeName).__format__")
        }
    }

    /// `[[fill]align][sign][#][0][width][grouping][.precision][type]`
    private static func parse(_ source: String) throws -> FormatSpecification {
        var result = FormatSpecification()
        var rest = Array(source.unicodeScalars)[...]
        let aligns: Set<Unicode.Scalar> = ["<", ">", "^", "="]
        let hasFill = rest.count > 1 && aligns.contains(rest[rest.startIndex + 1])
        if hasFill {
            result.fill = rest.removeFirst()
            result.align = rest.removeFirst()
        } else if let first = rest.first, aligns.contains(first) {
            result.align = rest.removeFirst()
        }
        if let sign = rest.first, "+- ".unicodeScalars.contains(sign) {
            rest.removeFirst()
            result.sign = sign == "-" ? nil : sign
        }
        if rest.first == "#" {
            rest.removeFirst()
            result.isAlternate = true
        }
        if rest.first == "0" {
            rest.removeFirst()
            if !hasFill { result.fill = "0" }
            result.align = result.align ?? "="
        }
        result.width = try number(&rest) ?? 0
        if let grouping = rest.first, grouping == "," || grouping == "_" {
            result.grouping = rest.removeFirst()
        }
        if rest.first == "." {
            rest.removeFirst()
            result.precision = try number(&rest)
        }
        result.type = rest.popFirst()
        guard rest.isEmpty else { throw Failure(.value, "Invalid format specifier") }
        return result
    }

    private static func number(_ rest: inout ArraySlice<Unicode.Scalar>) throws -> Int? {
        let digits = rest.prefix { ("0"..."9").contains($0) }
        rest = rest.dropFirst(digits.count)
        guard !digits.isEmpty else { return nil }
        guard let number = Int(String(scalars: digits)), number <= FormatSpecification.widthLimit
        else {
            throw Failure(.limit, "A format wider than \(FormatSpecification.widthLimit).")
        }
        return number
    }
}
