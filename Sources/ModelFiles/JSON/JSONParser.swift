/// Reads JSON (RFC 8259) from bytes, front to back.
///
/// Our own because a repeated key must be an error: it is how a crafted safetensors header would
/// name one tensor twice, and Foundation's readers keep one of the two silently.
struct JSONParser {
    private let file: String
    private let bytes: ArraySlice<UInt8>
    private var offset: Int

    /// Parses all of `bytes` as one value.
    ///
    /// - Throws: `malformed` or `overLimit` with the byte offset.
    /// - Complexity: O(bytes).
    static func parse(
        _ bytes: ArraySlice<UInt8>, file: String
    ) throws(ModelFileError) -> JSONValue {
        var parser = JSONParser(file: file, bytes: bytes, offset: bytes.startIndex)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.offset == bytes.endIndex else {
            throw parser.error("there is more after the end of the JSON value")
        }
        return value
    }

    private mutating func value(depth: Int) throws(ModelFileError) -> JSONValue {
        guard depth < JSONLimits.depth else {
            throw ModelFileError(
                .overLimit, file: file, "JSON nests deeper than the limit of \(JSONLimits.depth)")
        }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(ModelFileError) -> [String: JSONValue] {
        offset += 1
        var members: [String: JSONValue] = [:]
        if accept(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            let key = try string()
            try expect(UInt8(ascii: ":"))
            let value = try value(depth: depth + 1)
            guard members.updateValue(value, forKey: key) == nil else {
                throw error("the key \"\(key.prefix(80))\" appears twice")
            }
        } while accept(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        return members
    }

    private mutating func array(depth: Int) throws(ModelFileError) -> [JSONValue] {
        offset += 1
        var values: [JSONValue] = []
        if accept(UInt8(ascii: "]")) { return values }
        repeat { values.append(try value(depth: depth + 1)) } while accept(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        return values
    }

    private mutating func word(
        _ text: StaticString, _ value: JSONValue
    ) throws(ModelFileError) -> JSONValue {
        let expected = Array("\(text)".utf8)
        guard bytes[offset...].starts(with: expected) else { throw error("is not a JSON value") }
        offset += expected.count
        return value
    }

    /// A number by the grammar of RFC 8259; whole ones that fit stay whole.
    private mutating func number() throws(ModelFileError) -> JSONValue {
        let start = offset
        while let byte = peek, isNumberByte(byte) { offset += 1 }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard let first = text.utf8.first, first != UInt8(ascii: "+") else {
            throw error("is not a JSON value")
        }
        if let whole = Int(text) { return .integer(whole) }
        guard let number = Double(text), number.isFinite else {
            throw error("\"\(text.prefix(40))\" is not a JSON number")
        }
        return .number(number)
    }

    private func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private mutating func string() throws(ModelFileError) -> String {
        guard peek == UInt8(ascii: "\"") else { throw error("expects a string") }
        offset += 1
        var text: [UInt8] = []
        while let byte = peek {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try appendEscape(&text)
            case 0..<0x20: throw error("a string holds a raw control character")
            default: text.append(byte)
            }
        }
        throw error("a string does not end")
    }

    private mutating func appendEscape(_ text: inout [UInt8]) throws(ModelFileError) {
        guard let byte = peek else { throw error("a string does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"): text += String(try escapedScalar()).utf8
        default: throw error("a string holds an unknown escape")
        }
    }

    /// The scalar of `\uXXXX` or of a surrogate pair; half a pair becomes U+FFFD.
    private mutating func escapedScalar() throws(ModelFileError) -> Character {
        let first = try hexUnit()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        guard first < 0xDC00,
            bytes[offset...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")])
        else { return "\u{FFFD}" }
        offset += 2
        let second = try hexUnit()
        guard (0xDC00..<0xE000).contains(second) else { return "\u{FFFD}" }
        let value = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        return Unicode.Scalar(value).map { Character($0) } ?? "\u{FFFD}"
    }

    private mutating func hexUnit() throws(ModelFileError) -> UInt32 {
        guard bytes.endIndex - offset >= 4 else { throw error("a string does not end") }
        let digits = bytes[offset..<offset + 4]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("\\u needs four hexadecimal digits") }
        offset += 4
        return unit
    }

    private var peek: UInt8? { offset < bytes.endIndex ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }

    /// Skips space and takes `byte` if it comes next.
    private mutating func accept(_ byte: UInt8) -> Bool {
        skipSpace()
        guard peek == byte else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(ModelFileError) {
        guard accept(byte) else {
            throw error("expects \"\(Character(Unicode.Scalar(byte)))\"")
        }
    }

    private func error(_ message: String) -> ModelFileError {
        ModelFileError(
            .malformed, file: file, "JSON at byte \(offset - bytes.startIndex): \(message)")
    }
}
