/// Reads the escapes of Python's string literals.
enum StringLiteral {
    /// What the text between the quotes denotes. Unknown escapes stay as they are.
    static func text(of source: ArraySlice<Unicode.Scalar>, line: Int) throws -> String {
        var result = String.UnicodeScalarView()
        var rest = source
        while let scalar = rest.popFirst() {
            if scalar == "\\", let escape = rest.popFirst() {
                try append(escape, &rest, to: &result, line)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    private static let simple: [Unicode.Scalar: Unicode.Scalar] = [
        "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}",
        "b": "\u{8}", "f": "\u{C}", "v": "\u{B}",
    ]

    private static func append(
        _ escape: Unicode.Scalar, _ rest: inout ArraySlice<Unicode.Scalar>,
        to result: inout String.UnicodeScalarView, _ line: Int
    ) throws {
        switch escape {
        case "\n": break
        case "x": result.append(try hexadecimal(2, &rest, line))
        case "u": result.append(try sixteenBits(&rest, line))
        case "U": result.append(try hexadecimal(8, &rest, line))
        case "0"..."7": result.append(octal(escape, &rest))
        case "N":
            throw Failure(.unsupported, "Named characters (\\N{…}) are not supported.", line: line)
        default:
            if let scalar = simple[escape] {
                result.append(scalar)
            } else {
                result.append(contentsOf: ["\\", escape])
            }
        }
    }

    private static func value(
        _ digits: Int, _ rest: inout ArraySlice<Unicode.Scalar>, _ line: Int
    ) throws -> UInt32 {
        let text = String(scalars: rest.prefix(digits))
        guard rest.count >= digits, text.allSatisfy(\.isHexDigit),
            let value = UInt32(text, radix: 16)
        else {
            throw Failure(.syntax, "truncated escape in a string", line: line)
        }
        rest = rest.dropFirst(digits)
        return value
    }

    private static func hexadecimal(
        _ digits: Int, _ rest: inout ArraySlice<Unicode.Scalar>, _ line: Int
    ) throws -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(try value(digits, &rest, line)) else {
            throw Failure(.syntax, "illegal Unicode character", line: line)
        }
        return scalar
    }

    /// Python keeps two escaped surrogates apart; joined they mean what the writer meant.
    private static func sixteenBits(
        _ rest: inout ArraySlice<Unicode.Scalar>, _ line: Int
    ) throws -> Unicode.Scalar {
        let first = try value(4, &rest, line)
        if (0xD800..<0xDC00).contains(first), rest.starts(with: "\\u".unicodeScalars) {
            rest = rest.dropFirst(2)
            let second = try value(4, &rest, line)
            return Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF)) ?? "\u{FFFD}"
        }
        return Unicode.Scalar(first) ?? "\u{FFFD}"
    }

    private static func octal(
        _ first: Unicode.Scalar, _ rest: inout ArraySlice<Unicode.Scalar>
    ) -> Unicode.Scalar {
        var value = first.value - 48
        for _ in 0..<2 {
            guard let next = rest.first, ("0"..."7").contains(next) else { break }
            value = value * 8 + next.value - 48
            rest.removeFirst()
        }
        return Unicode.Scalar(value) ?? "\u{FFFD}"
    }
}
