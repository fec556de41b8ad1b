extension JSONReader {
    /// A string, from its opening quotation mark.
    mutating func string() throws(JSONError) -> JSONString {
        position += 1
        let start = position
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "\""):
                position += 1
                return JSONString(validated: Array(json[start..<position - 1]))
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw expected("an escaped control character")
            default: position += 1
            }
        }
        throw expected("the end of a string")
    }

    /// The rest of a string whose first escape stands at the position.
    private mutating func escapedString(from start: Int) throws(JSONError) -> JSONString {
        var text = Array(json[start..<position])
        while position < json.count {
            let byte = json[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return JSONString(validated: text)
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape().utf8)
            case 0..<0x20: throw expected("an escaped control character")
            default:
                position += 1
                text.append(byte)
            }
        }
        throw expected("the end of a string")
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = position
        position += 1
        let byte = next
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(at: start)
        default: throw failure(.malformed, "an unknown escape", at: start)
        }
    }

    /// The scalar of `\uXXXX` or of a surrogate pair.
    private mutating func unicodeEscape(at start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if UTF16.isLeadSurrogate(first), let second = try trailSurrogate() {
            return UTF16.decode(UTF16.EncodedScalar([first, second]))
        }
        guard !rules.refusals.contains(.loneSurrogates) else {
            throw failure(.malformed, "half of a surrogate pair", at: start)
        }
        return "\u{FFFD}"
    }

    /// The escape at the position if it is the second half of a pair; otherwise it is left there.
    private mutating func trailSurrogate() throws(JSONError) -> UInt16? {
        let start = position
        if consume(UInt8(ascii: "\\")), consume(UInt8(ascii: "u")) {
            let second = try hexadecimal()
            if UTF16.isTrailSurrogate(second) { return second }
        }
        position = start
        return nil
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        var number: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(next)).hexDigitValue else {
                throw expected("four hexadecimal digits")
            }
            number = number << 4 | UInt16(digit)
            position += 1
        }
        return number
    }
}
