import Foundation

/// How a value is written in `format` and `%`: sign, width, precision and so on.
struct FormatSpecification {
    var fill: Unicode.Scalar = " "
    /// `<`, `>`, `^` or `=`; nil for the default of the type.
    var align: Unicode.Scalar?
    /// `+` or a space before positive numbers.
    var sign: Unicode.Scalar?
    var isAlternate = false
    var width = 0
    /// `,` or `_` between groups of digits.
    var grouping: Unicode.Scalar?
    var precision: Int?
    var type: Unicode.Scalar?

    /// Widths and precisions beyond this are refused, since they only make text longer.
    static let widthLimit = 100_000

    /// Formats a number's parts: pads between sign and digits where the alignment is `=`.
    func padded(sign: String, _ digits: String, isNumber: Bool) -> String {
        let missing = max(0, width - sign.unicodeScalars.count - digits.unicodeScalars.count)
        func fill(_ count: Int) -> String { String(repeating: String(self.fill), count: count) }
        switch align ?? (isNumber ? ">" : "<") {
        case "=": return sign + fill(missing) + digits
        case ">": return fill(missing) + sign + digits
        case "^": return fill(missing / 2) + sign + digits + fill(missing - missing / 2)
        default: return sign + digits + fill(missing)
        }
    }

    func signText(isNegative: Bool) -> String {
        isNegative ? "-" : sign.map { String($0) } ?? ""
    }

    /// An integer in decimal, hexadecimal, octal or binary.
    func integer(_ value: Int) throws -> String {
        let sign = signText(isNegative: value < 0)
        switch type ?? "d" {
        case "d", "i", "u", "n":
            return padded(sign: sign, grouped(String(value.magnitude)), isNumber: true)
        case "x", "X", "o", "b":
            let radix = type == "o" ? 8 : type == "b" ? 2 : 16
            var digits = String(value.magnitude, radix: radix)
            if type == "X" { digits = digits.uppercased() }
            let prefix = isAlternate ? "0" + String(type ?? "x") : ""
            return padded(sign: sign + prefix, digits, isNumber: true)
        case "c":
            guard let scalar = UInt32(exactly: value).flatMap(Unicode.Scalar.init) else {
                throw Failure(.overflow, "%c arg not in range(0x110000)")
            }
            return padded(sign: "", String(scalar), isNumber: false)
        default: return try float(Double(value))
        }
    }

    /// A floating-point number: `f`, `e`, `g`, `%`, or Python's own form without a type.
    func float(_ value: Double) throws -> String {
        let sign = signText(isNegative: value.sign == .minus && !value.isNaN)
        let magnitude = value.magnitude
        let digits: String
        if !value.isFinite {
            let name = value.isNaN ? "nan" : "inf"
            digits = type.map { ("A"..."Z").contains($0) } == true ? name.uppercased() : name
        } else {
            digits = try finite(magnitude)
        }
        return padded(sign: sign, digits, isNumber: true)
    }

    private func finite(_ value: Double) throws -> String {
        let digits = precision ?? 6
        let mark = isAlternate ? "#" : ""
        switch type {
        case nil:
            guard let precision else { return grouped(FloatText.representation(value)) }
            let text = String(format: "%.\(max(1, precision))g", value)
            let isWhole = !text.contains(".") && !text.contains("e")
            return grouped(isWhole ? text + ".0" : text)
        case "f", "F": return grouped(String(format: "%\(mark).\(digits)f", value))
        case "e": return String(format: "%\(mark).\(digits)e", value)
        case "E": return String(format: "%\(mark).\(digits)E", value)
        case "g", "n": return grouped(String(format: "%\(mark).\(digits)g", value))
        case "G": return grouped(String(format: "%\(mark).\(digits)G", value))
        case "%": return grouped(String(format: "%.\(digits)f", value * 100)) + "%"
        case .some(let type):
            throw Failure(
                .value, "Unknown format code '\(type)' for object of type 'float'")
        }
    }

    /// Puts the grouping mark between thousands of the whole part.
    private func grouped(_ text: String) -> String {
        guard let grouping else { return text }
        let whole = text.prefix { $0.isNumber }
        var result = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { result.unicodeScalars.append(grouping) }
            result.append(digit)
        }
        return result + text.dropFirst(whole.count)
    }

    /// Text, cut to the precision and padded.
    func text(_ value: String) -> String {
        let cut = precision.map { String(scalars: value.unicodeScalars.prefix($0)) } ?? value
        return padded(sign: "", cut, isNumber: false)
    }
}
