import Foundation

/// Filters on numbers.
enum NumberFilters {
    static let all: [String: Filters.Body] = [
        "abs": absolute,
        "filesizeformat": fileSize,
        "float": float,
        "int": integer,
        "round": round,
    ]

    private static func absolute(
        _: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        _ = try arguments.bind("abs", [])
        if let integer = value.integer {
            guard integer != Int.min else { throw Arithmetic.overflow }
            return .int(abs(integer))
        }
        guard case .float(let number) = value else {
            throw Failure(.type, "bad operand type for abs(): '\(value.typeName)'")
        }
        return .float(abs(number))
    }

    private static func float(
        _: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let otherwise = try arguments.bind("do_float", ["default"])[0] ?? .float(0)
        if case .undefined(let undefined) = value { throw undefined.failure }
        return number(value).map { .float($0) } ?? otherwise
    }

    /// Python's `float(value)`, or nil.
    private static func number(_ value: Value) -> Double? {
        guard let text = value.text else { return value.double }
        let plain = TextSearch.strip(text, nil, left: true, right: true)
        guard let digits = withoutSeparators(plain) else { return nil }
        let unsigned = digits.drop { $0 == "+" || $0 == "-" }.lowercased()
        let isNamed = ["inf", "infinity", "nan"].contains(unsigned)
        let isNumeric = digits.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte)
        }
        guard isNamed || isNumeric, !digits.isEmpty else { return nil }
        // Python reads "1." and ".5"; so does this once both sides have a digit.
        return Double(digits.hasSuffix(".") ? digits + "0" : digits)
    }

    /// The text without `_` between digits, or nil where one stands elsewhere.
    private static func withoutSeparators(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            guard index > 0, index + 1 < bytes.count,
                Character(Unicode.Scalar(bytes[index - 1])).isHexDigit,
                Character(Unicode.Scalar(bytes[index + 1])).isHexDigit
            else { return nil }
        }
        return text.replacing("_", with: "")
    }

    private static func integer(
        _: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_int", ["default", "base"])
        if case .undefined(let undefined) = value { throw undefined.failure }
        let otherwise = values[0] ?? .int(0)
        if let integer = value.integer { return .int(integer) }
        let base = try values[1]?.requireInteger() ?? 10
        if let text = value.text, let integer = integer(text, base: base) { return .int(integer) }
        guard let number = number(value), number.isFinite else { return otherwise }
        guard let integer = Int(exactly: number.rounded(.towardZero)) else {
            throw Arithmetic.overflow
        }
        return .int(integer)
    }

    /// Python's `int(text, base)`, or nil.
    private static func integer(_ text: String, base: Int) -> Int? {
        guard let plain = withoutSeparators(TextSearch.strip(text, nil, left: true, right: true))
        else { return nil }
        var digits = plain.lowercased()
        let isNegative = digits.hasPrefix("-")
        if isNegative || digits.hasPrefix("+") { digits.removeFirst() }
        var radix = base
        for (prefix, value) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            if base == value || base == 0 {
                digits.removeFirst(2)
                radix = value
            }
        }
        if radix == 0 { radix = 10 }
        guard (2...36).contains(radix), !digits.isEmpty,
            digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") })
        else { return nil }
        return Int((isNegative ? "-" : "") + digits, radix: radix)
    }

    private static func round(
        _: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_round", ["precision", "method"])
        let precision = try values[0]?.requireInteger() ?? 0
        let method = values[1]?.text ?? "common"
        guard ["common", "ceil", "floor"].contains(method) else {
            throw Failure(.filterArgument, "method must be common, ceil or floor")
        }
        guard let number = value.double else {
            throw Failure(.type, "type \(value.typeName) doesn't define __round__ method")
        }
        if method == "common" { return try common(value, number, precision) }
        // Python's math.ceil gives an integer, and the division by a power of ten a float.
        let scale = pow(10, Double(precision))
        let scaled = number * scale
        return .float((method == "ceil" ? ceil(scaled) : floor(scaled)) / scale)
    }

    private static func common(_ value: Value, _ number: Double, _ precision: Int) throws -> Value {
        if let integer = value.integer {
            guard precision < 0 else { return .int(integer) }
            guard precision > -18 else { return .int(0) }
            return .int(try rounded(integer, toMultipleOf: Int(pow(10, Double(-precision)))))
        }
        guard number.isFinite, precision < 309 else { return .float(number) }
        if precision <= 0 {
            let scale = pow(10, Double(-precision))
            return .float((number / scale).rounded(.toNearestOrEven) * scale)
        }
        // The decimal text is rounded correctly, half to even, as Python's is.
        return .float(Double(String(format: "%.\(precision)f", number)) ?? number)
    }

    private static func rounded(_ value: Int, toMultipleOf step: Int) throws -> Int {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: step)
        let twice = remainder.magnitude * 2
        let isUp = twice > step.magnitude || (twice == step.magnitude && quotient % 2 != 0)
        let (result, isOverflow) = (quotient + (isUp ? value.signum() : 0))
            .multipliedReportingOverflow(by: step)
        guard !isOverflow else { throw Arithmetic.overflow }
        return result
    }

    private static func fileSize(
        _: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let isBinary = try arguments.bind("do_filesizeformat", ["binary"])[0]?.isTrue ?? false
        guard let bytes = number(value) else {
            throw Failure(.value, "could not convert to float")
        }
        let base: Double = isBinary ? 1024 : 1000
        if bytes == 1 { return .string("1 Byte") }
        if bytes < base { return .string("\(Int(bytes)) Bytes") }
        let prefixes =
            isBinary
            ? ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]
            : ["k", "M", "G", "T", "P", "E", "Z", "Y"]
        var unit = base
        var prefix = prefixes[0]
        for next in prefixes.dropFirst() where bytes >= unit * base {
            unit *= base
            prefix = next
        }
        return .string(String(format: "%.1f", bytes / unit) + " \(prefix)B")
    }
}
