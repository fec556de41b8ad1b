import OrderedJSON

/// JSON as forced answers spell it.
enum JSONText {
    /// A value on one line without blanks.
    static func write(_ value: JSONValue, to bytes: inout [UInt8]) {
        switch value {
        case .null, .boolean, .integer, .number, .string: bytes += scalar(value)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += scalar(.string(member.key))
                bytes.append(UInt8(ascii: ":"))
                write(member.value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// A value that has no others inside; an empty text for one that has.
    static func scalar(_ value: JSONValue) -> [UInt8] {
        switch value {
        case .null: Array("null".utf8)
        case .boolean(let flag): Array((flag ? "true" : "false").utf8)
        case .integer(let number): Array(String(number).utf8)
        case .number(let number): Array(String(number).utf8)
        case .string(let string):
            [UInt8(ascii: "\"")] + escaped(string) + [UInt8(ascii: "\"")]
        case .array, .object: []
        }
    }

    /// A text's characters, without the quotation marks.
    static func escaped(_ string: JSONString) -> [UInt8] {
        string.utf8.flatMap { escape(of: $0) ?? [$0] }
    }

    /// How a byte is spelled that must not stand in a text as it is; nil for the others.
    static func escape(of byte: UInt8) -> [UInt8]? {
        switch byte {
        case UInt8(ascii: "\""): Array(#"\""#.utf8)
        case UInt8(ascii: "\\"): Array(#"\\"#.utf8)
        case 0x08: Array(#"\b"#.utf8)
        case 0x09: Array(#"\t"#.utf8)
        case 0x0A: Array(#"\n"#.utf8)
        case 0x0C: Array(#"\f"#.utf8)
        case 0x0D: Array(#"\r"#.utf8)
        case 0..<0x10: Array("\\u000\(String(byte, radix: 16))".utf8)
        case 0x10..<0x20: Array("\\u00\(String(byte, radix: 16))".utf8)
        default: nil
        }
    }
}
