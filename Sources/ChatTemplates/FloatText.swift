/// Floating-point numbers as Python writes them.
enum FloatText {
    /// Python's `repr(float)`: the fewest digits that read back as the same number; an exponent
    /// below 1e-4 and from 1e16 on.
    static func representation(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let (digits, exponent) = shortest(value)
        let sign = value.sign == .minus ? "-" : ""
        if exponent < -4 || exponent >= 16 { return sign + scientific(digits, exponent) }
        return sign + positional(digits, exponent)
    }

    /// The fewest digits of `|value|` and the power of ten of the first.
    static func shortest(_ value: Double) -> (digits: [UInt8], exponent: Int) {
        let text = value.magnitude.description.split(separator: "e")
        var exponent = text.count > 1 ? Int(text[1]) ?? 0 : 0
        let parts = text[0].split(separator: ".")
        exponent += parts[0].utf8.count - 1
        var digits = Array(parts[0].utf8) + (parts.count > 1 ? Array(parts[1].utf8) : [])
        while digits.count > 1, digits[0] == UInt8(ascii: "0") {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return digits == [UInt8(ascii: "0")] ? (digits, 0) : (digits, exponent)
    }

    private static func scientific(_ digits: [UInt8], _ exponent: Int) -> String {
        let fraction = digits.count > 1 ? "." + text(digits[1...]) : ""
        let size = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
        return text(digits[..<1]) + fraction + "e" + (exponent < 0 ? "-" : "+") + size
    }

    private static func positional(_ digits: [UInt8], _ exponent: Int) -> String {
        if exponent < 0 {
            return "0." + String(repeating: "0", count: -exponent - 1) + text(digits[...])
        }
        let whole = exponent + 1
        if digits.count <= whole {
            return text(digits[...]) + String(repeating: "0", count: whole - digits.count) + ".0"
        }
        return text(digits[..<whole]) + "." + text(digits[whole...])
    }

    private static func text(_ digits: ArraySlice<UInt8>) -> String {
        String(decoding: digits, as: UTF8.self)
    }
}
