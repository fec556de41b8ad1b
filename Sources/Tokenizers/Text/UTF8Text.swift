/// Reading and writing single Unicode scalars in arrays of UTF-8 bytes.
///
/// The tokenizer works on bytes throughout: Swift's `String` compares by canonical equivalence and
/// indexes in grapheme clusters, and a vocabulary knows neither.
enum UTF8Text {
    /// The scalar that begins at `position` of valid UTF-8, and its length in bytes (1...4).
    @inline(__always)
    static func scalar(in text: [UInt8], at position: Int) -> (value: UInt32, count: Int) {
        let lead = UInt32(text[position])
        if lead < 0x80 { return (lead, 1) }
        let second = UInt32(text[position + 1] & 0x3F)
        if lead < 0xE0 { return ((lead & 0x1F) << 6 | second, 2) }
        let third = UInt32(text[position + 2] & 0x3F)
        if lead < 0xF0 { return ((lead & 0x0F) << 12 | second << 6 | third, 3) }
        let fourth = UInt32(text[position + 3] & 0x3F)
        return ((lead & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
    }

    /// Where the scalar that ends before `position` begins, in valid UTF-8.
    @inline(__always)
    static func start(in text: [UInt8], before position: Int) -> Int {
        var start = position - 1
        while text[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        switch scalar {
        case 0..<0x80:
            bytes.append(UInt8(scalar))
        case 0x80..<0x800:
            bytes.append(UInt8(0xC0 | scalar >> 6))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        case 0x800..<0x10000:
            bytes.append(UInt8(0xE0 | scalar >> 12))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        default:
            bytes.append(UInt8(0xF0 | scalar >> 18))
            bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    /// `bytes` with every invalid part replaced by U+FFFD, as `String(decoding:as:)` does.
    static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        isValid(bytes) ? bytes : Array(String(decoding: bytes, as: UTF8.self).utf8)
    }

    /// How many bytes at the end of `bytes` begin a character that later bytes may complete
    /// (0...3).
    static func incompleteSuffixCount(_ bytes: [UInt8]) -> Int {
        guard let last = bytes.last, last >= 0x80 else { return 0 }
        for count in 1...3 where count <= bytes.count {
            let position = bytes.count - count
            let lead = bytes[position]
            if lead & 0xC0 == 0x80 { continue }
            let needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1
            guard needed > count, canBegin(Array(bytes[position...])) else { return 0 }
            return count
        }
        return 0
    }

    /// Whether some continuation makes `prefix` a valid character (Unicode 16, table 3-7).
    private static func canBegin(_ prefix: [UInt8]) -> Bool {
        guard (0xC2...0xF4).contains(prefix[0]) else { return false }
        guard prefix.count > 1 else { return true }
        switch prefix[0] {
        case 0xE0: return prefix[1] >= 0xA0
        case 0xED: return prefix[1] < 0xA0
        case 0xF0: return prefix[1] >= 0x90
        case 0xF4: return prefix[1] < 0x90
        default: return true
        }
    }
}
