extension TemplateValue {
    /// Reads one JSON document (RFC 8259), keeping the order of keys.
    ///
    /// Numbers without point and exponent become `int`; one that does not fit 64 bits is refused.
    /// A lone surrogate escape becomes U+FFFD, since Swift's text cannot hold it.
    ///
    /// - Parameter json: UTF-8 bytes, at most ``TemplateLimits/jsonBytes``, at most
    ///   ``TemplateLimits/valueDepth`` levels deep.
    /// - Throws: `JSONError` with the offset of the first wrong byte.
    /// - Complexity: O(bytes).
    package init(json: [UInt8]) throws(JSONError) {
        guard json.count <= TemplateLimits.jsonBytes else {
            throw JSONError(
                message: "The document has more than \(TemplateLimits.jsonBytes) bytes.", offset: 0)
        }
        var reader = JSONReader(bytes: json)
        self = try reader.document()
    }

    /// Why bytes are not a JSON document.
    package struct JSONError: Error, Equatable, CustomStringConvertible {
        /// One sentence.
        package let message: String
        /// Byte offset of the problem.
        package let offset: Int
        /// The message with its offset.
        package var description: String { "JSON, byte \(offset): \(message)" }
    }
}

/// A recursive-descent reader. Foundation's would lose the order of keys.
private struct JSONReader {
    typealias JSONError = TemplateValue.JSONError

    let bytes: [UInt8]
    var position = 0
    var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    mutating func document() throws(JSONError) -> TemplateValue {
        let result = try value()
        skipSpace()
        guard position == bytes.count else { throw failure("Text follows the document.") }
        return result
    }

    func failure(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
            position += 1
        }
    }

    mutating func value() throws(JSONError) -> TemplateValue {
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    mutating func word(
        _ text: StaticString, _ value: TemplateValue
    ) throws(JSONError) -> TemplateValue {
        let expected = Array("\(text)".utf8)
        guard bytes[position...].starts(with: expected) else { throw failure("Expected a value.") }
        position += expected.count
        return value
    }

    mutating func descend() throws(JSONError) {
        depth += 1
        guard depth <= TemplateLimits.valueDepth else {
            throw failure("More than \(TemplateLimits.valueDepth) levels.")
        }
        position += 1
        skipSpace()
    }

    mutating func object() throws(JSONError) -> TemplateObject {
        try descend()
        var result = TemplateObject()
        while current != UInt8(ascii: "}") {
            guard current == UInt8(ascii: "\"") else { throw failure("Expected a key.") }
            let key = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("Expected ':'.") }
            position += 1
            result[key] = try value()
            try separator(before: UInt8(ascii: "}"))
        }
        position += 1
        depth -= 1
        return result
    }

    mutating func array() throws(JSONError) -> [TemplateValue] {
        try descend()
        var result: [TemplateValue] = []
        while current != UInt8(ascii: "]") {
            result.append(try value())
            try separator(before: UInt8(ascii: "]"))
        }
        position += 1
        depth -= 1
        return result
    }

    mutating func separator(before end: UInt8) throws(JSONError) {
        skipSpace()
        if current == end { return }
        guard current == UInt8(ascii: ",") else { throw failure("Expected ','.") }
        position += 1
        skipSpace()
        if current == end { throw failure("Expected another item.") }
    }

    mutating func number() throws(JSONError) -> TemplateValue {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let digits = position
        skipDigits()
        guard position > digits else { throw failure("Expected a value.") }
        if bytes[digits] == UInt8(ascii: "0"), position > digits + 1 {
            throw failure("A number starts with 0.")
        }
        let isInteger = try fractionAndExponent()
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger {
            guard let value = Int(text) else { throw failure("Not a 64-bit integer.") }
            return .int(value)
        }
        guard let value = Double(text) else { throw failure("Not a number.") }
        return .double(value)
    }

    mutating func skipDigits() {
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) { position += 1 }
    }

    /// Returns whether there was neither.
    mutating func fractionAndExponent() throws(JSONError) -> Bool {
        let start = position
        if current == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return position == start
    }

    mutating func digits() throws(JSONError) {
        let start = position
        skipDigits()
        guard position > start else { throw failure("Expected a digit.") }
    }

    mutating func string() throws(JSONError) -> String {
        position += 1
        var result: [UInt8] = []
        while true {
            guard position < bytes.count else { throw failure("A string has no end.") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(result)
            case UInt8(ascii: "\\"): result.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20: throw failure("A control character in a string.")
            default: result.append(byte)
            }
        }
    }

    func text(_ bytes: [UInt8]) throws(JSONError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw failure("A string is not UTF-8.")
        }
        return text
    }

    mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let byte = current
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("An unknown escape.")
        }
    }

    mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if (0xD800..<0xDC00).contains(first), bytes[position...].starts(with: Array("\\u".utf8)) {
            let before = position
            position += 2
            let second = try hexadecimal()
            if (0xDC00..<0xE000).contains(second) {
                let value = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
                return Unicode.Scalar(value) ?? "\u{FFFD}"
            }
            position = before
        }
        return Unicode.Scalar(first) ?? "\u{FFFD}"
    }

    mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(
                String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw failure("Expected four hexadecimal digits.") }
        position += 4
        return value
    }
}
