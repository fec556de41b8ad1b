/// Reads JSON (RFC 8259) from UTF-8 bytes, keeping strings as bytes.
///
/// - Complexity: O(bytes), one allocation per string.
struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private let reporter: ErrorReporter

    static func parse(_ bytes: [UInt8], reporter: ErrorReporter) throws(TokenizerError) -> JSONField
    {
        guard bytes.count <= TokenizerLimits.fileByteCount else {
            throw reporter.exceeded(
                "\(bytes.count) bytes, the limit is \(TokenizerLimits.fileByteCount)")
        }
        guard UTF8Text.isValid(bytes) else { throw reporter.malformed("the file is not UTF-8") }
        var parser = JSONParser(bytes: bytes, reporter: reporter)
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.syntax("the end of the file") }
        return JSONField(value: value, path: "", reporter: reporter)
    }

    private init(bytes: [UInt8], reporter: ErrorReporter) {
        self.bytes = bytes
        self.reporter = reporter
    }

    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private func syntax(_ expected: String) -> TokenizerError {
        reporter.malformed("JSON syntax at byte \(position): expected \(expected)")
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(TokenizerError) -> JSONValue {
        skipSpace()
        switch current {
        case UInt8(ascii: "{"):
            return try nested { (parser) throws(TokenizerError) in try parser.object() }
        case UInt8(ascii: "["):
            return try nested { (parser) throws(TokenizerError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(TokenizerError) -> JSONValue
    ) throws(TokenizerError) -> JSONValue {
        position += 1
        depth += 1
        guard depth <= TokenizerLimits.nestingDepth else {
            throw reporter.exceeded(
                "JSON nests deeper than \(TokenizerLimits.nestingDepth) at byte \(position)")
        }
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(TokenizerError) -> JSONValue {
        var members: [JSONValue.Member] = []
        skipSpace()
        if consume(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw syntax("a key") }
            let key = try string()
            skipSpace()
            guard consume(UInt8(ascii: ":")) else { throw syntax("\":\"") }
            members.append(JSONValue.Member(key: key, value: try value()))
            skipSpace()
        } while consume(UInt8(ascii: ","))
        guard consume(UInt8(ascii: "}")) else { throw syntax("\",\" or \"}\"") }
        return .object(members)
    }

    private mutating func array() throws(TokenizerError) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if consume(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            elements.append(try value())
            skipSpace()
        } while consume(UInt8(ascii: ","))
        guard consume(UInt8(ascii: "]")) else { throw syntax("\",\" or \"]\"") }
        return .array(elements)
    }

    private mutating func word(
        _ text: StaticString, _ value: JSONValue
    ) throws(TokenizerError) -> JSONValue {
        for byte in "\(text)".utf8 {
            guard consume(byte) else { throw syntax("\(text)") }
        }
        return value
    }

    private mutating func number() throws(TokenizerError) -> Double {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: position += 1
            default:
                guard let number = Self.double(bytes[start..<position]) else {
                    throw syntax("a value")
                }
                return number
            }
        }
        guard let number = Self.double(bytes[start..<position]) else { throw syntax("a value") }
        return number
    }

    /// Short digit strings, which is what a vocabulary is made of, skip the general conversion.
    private static func double(_ digits: ArraySlice<UInt8>) -> Double? {
        var whole = 0
        guard (1...15).contains(digits.count) else {
            return Double(String(decoding: digits, as: UTF8.self))
        }
        for digit in digits {
            guard (0x30...0x39).contains(digit) else {
                return Double(String(decoding: digits, as: UTF8.self))
            }
            whole = whole * 10 + Int(digit - 0x30)
        }
        return Double(whole)
    }

    private mutating func string() throws(TokenizerError) -> [UInt8] {
        position += 1
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return Array(bytes[start..<position - 1])
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw syntax("an escaped control character")
            default: position += 1
            }
        }
        throw syntax("the end of a string")
    }

    private mutating func escapedString(from start: Int) throws(TokenizerError) -> [UInt8] {
        var result = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return result
            case UInt8(ascii: "\\"): UTF8Text.append(try escape(), to: &result)
            case 0..<0x20: throw syntax("an escaped control character")
            default: result.append(byte)
            }
        }
        throw syntax("the end of a string")
    }

    private mutating func escape() throws(TokenizerError) -> UInt32 {
        let byte = current
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt32(byte)
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw syntax("an escape")
        }
    }

    private mutating func unicodeEscape() throws(TokenizerError) -> UInt32 {
        let first = try hexadecimal()
        guard (0xD800...0xDFFF).contains(first) else { return first }
        guard first < 0xDC00, consume(UInt8(ascii: "\\")), consume(UInt8(ascii: "u")) else {
            throw syntax("a surrogate pair")
        }
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second) else { throw syntax("a low surrogate") }
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private mutating func hexadecimal() throws(TokenizerError) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(current)).hexDigitValue else {
                throw syntax("four hexadecimal digits")
            }
            number = number << 4 | UInt32(digit)
            position += 1
        }
        return number
    }
}
