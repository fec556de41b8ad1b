/// Python's `format % values`.
struct PercentFormat {
    private var rest: ArraySlice<Unicode.Scalar>
    private let values: Value
    private var used = 0
    private let interpreter: Interpreter
    private let escapes: Bool

    /// - Parameters:
    ///   - values: a tuple of values, a dictionary for `%(name)s`, or one value.
    ///   - escapes: whether the format is marked as safe, so that values are escaped.
    static func format(
        _ format: String, _ values: Value, _ interpreter: Interpreter, escapes: Bool = false
    ) throws -> String {
        var formatter = PercentFormat(
            rest: Array(format.unicodeScalars)[...], values: values, interpreter: interpreter,
            escapes: escapes)
        return try formatter.run()
    }

    private init(
        rest: ArraySlice<Unicode.Scalar>, values: Value, interpreter: Interpreter, escapes: Bool
    ) {
        self.rest = rest
        self.values = values
        self.interpreter = interpreter
        self.escapes = escapes
    }

    private mutating func run() throws -> String {
        var result = ""
        while let scalar = rest.popFirst() {
            if scalar == "%" {
                result += try conversion()
                try interpreter.charge(1)
                try interpreter.checkText(result)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        try checkAllUsed()
        return result
    }

    private func checkAllUsed() throws {
        let given: Int
        switch values {
        case .tuple(let list): given = list.items.count
        case .dictionary, .list, .range, .undefined: return
        default: given = 1
        }
        guard used >= given || usesNames else {
            throw Failure(.type, "not all arguments converted during string formatting")
        }
    }

    private var usesNames = false

    private mutating func conversion() throws -> String {
        var specification = FormatSpecification()
        var value = try named()
        flags(&specification)
        specification.width = try number() ?? 0
        if rest.first == "." {
            rest.removeFirst()
            specification.precision = try number() ?? 0
        }
        while let modifier = rest.first, "hlL".unicodeScalars.contains(modifier) {
            rest.removeFirst()
        }
        guard let type = rest.popFirst() else { throw Failure(.value, "incomplete format") }
        if type == "%" { return "%" }
        if value == nil { value = try nextValue() }
        specification.type = type
        return try text(value ?? .none, specification)
    }

    /// The value of `(name)`, if there is one.
    private mutating func named() throws -> Value? {
        guard rest.first == "(" else { return nil }
        rest.removeFirst()
        let name = rest.prefix { $0 != ")" }
        rest = rest.dropFirst(name.count + 1)
        guard case .dictionary(let dictionary) = values else {
            throw Failure(.type, "format requires a mapping")
        }
        let text = String(scalars: name)
        guard let value = dictionary[text] else { throw Failure(.key, Value.quoted(text)) }
        usesNames = true
        return value
    }

    private mutating func flags(_ specification: inout FormatSpecification) {
        var isZero = false
        while let flag = rest.first {
            switch flag {
            case "-": specification.align = "<"
            case "+": specification.sign = "+"
            case " ": specification.sign = specification.sign ?? " "
            case "#": specification.isAlternate = true
            case "0": isZero = true
            default:
                if isZero, specification.align == nil {
                    (specification.fill, specification.align) = ("0", "=")
                }
                return
            }
            rest.removeFirst()
        }
    }

    private mutating func number() throws -> Int? {
        if rest.first == "*" {
            rest.removeFirst()
            return try limited(try nextValue().requireInteger())
        }
        let digits = rest.prefix { ("0"..."9").contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        return try limited(Int(String(scalars: digits)) ?? Int.max)
    }

    private func limited(_ number: Int) throws -> Int {
        guard number <= FormatSpecification.widthLimit else {
            throw Failure(.limit, "A format wider than \(FormatSpecification.widthLimit).")
        }
        return max(0, number)
    }

    private mutating func nextValue() throws -> Value {
        used += 1
        if case .tuple(let list) = values {
            guard used <= list.items.count else {
                throw Failure(.type, "not enough arguments for format string")
            }
            return list.items[used - 1]
        }
        guard used == 1 else {
            throw Failure(.type, "not enough arguments for format string")
        }
        return values
    }

    private func text(_ value: Value, _ specification: FormatSpecification) throws -> String {
        var specification = specification
        let isText = "sracSRA".unicodeScalars.contains(specification.type ?? "s")
        if specification.align == nil { specification.align = ">" }
        if isText, specification.align == "=" {
            (specification.fill, specification.align) = (" ", ">")
        }
        switch specification.type {
        case "s":
            if escapes { return specification.text(try HTMLText.escaped(value, interpreter)) }
            return specification.text(try value.string(interpreter))
        case "r", "a": return specification.text(try value.representation(interpreter))
        case "c":
            if let text = value.text, text.unicodeScalars.count == 1 {
                return specification.text(text)
            }
            guard case .int(let number) = value else {
                throw Failure(.type, "%c requires int or char")
            }
            return try specification.integer(number)
        case "d", "i", "u": return try integer(value, specification)
        case "x", "X", "o":
            guard let number = value.integer else {
                throw Failure(
                    .type,
                    "%\(specification.type ?? "x") format: an integer is required, not "
                        + value.typeName)
            }
            return try specification.integer(number)
        case "f", "F", "e", "E", "g", "G": return try float(value, specification)
        default:
            throw Failure(
                .value, "unsupported format character '\(specification.type ?? " ")'")
        }
    }

    private func integer(_ value: Value, _ specification: FormatSpecification) throws -> String {
        var specification = specification
        let number: Int
        if let integer = value.integer {
            number = integer
        } else if case .float(let float) = value,
            let integer = Int(exactly: float.rounded(.towardZero))
        {
            number = integer
        } else {
            if case .undefined(let undefined) = value { throw undefined.failure }
            throw Failure(
                .type, "%d format: a real number is required, not \(value.typeName)")
        }
        if let precision = specification.precision {
            let digits = String(number.magnitude)
            let zeros = String(repeating: "0", count: max(0, precision - digits.count))
            specification.precision = nil
            let sign = specification.signText(isNegative: number < 0)
            return specification.padded(sign: sign, zeros + digits, isNumber: true)
        }
        return try specification.integer(number)
    }

    private func float(_ value: Value, _ specification: FormatSpecification) throws -> String {
        guard let number = value.double else {
            if case .undefined(let undefined) = value { throw undefined.failure }
            throw Failure(.type, "must be real number, not \(value.typeName)")
        }
        return try specification.float(number)
    }
}
