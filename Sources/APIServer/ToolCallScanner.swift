import OrderedJSON

/// How much of a call's beginning has come.
enum ToolCallHeader: Equatable {
    /// So far it may become one.
    case open
    /// It is none.
    case wrong
    /// A name, and how many bytes lie before the arguments' opening brace.
    case whole(name: String, length: Int)

    /// The beginning of a JSON object with `name` first and the arguments next.
    static func json(_ bytes: [UInt8]) -> ToolCallHeader {
        var scan = HeaderScan(bytes: bytes)
        scan.skip("{")
        scan.skip("\"name\"")
        scan.skip(":")
        let name = scan.string()
        scan.skip(",")
        let key = scan.string()
        scan.skip(":")
        scan.skipSpace()
        if scan.isWrong { return .wrong }
        guard let name, let key, let next = scan.next else { return .open }
        guard key == "arguments" || key == "parameters", next == UInt8(ascii: "{") else {
            return .wrong
        }
        return .whole(name: name, length: scan.position)
    }

    /// A name up to a mark. Kimi writes `functions.name:0`.
    static func named(_ bytes: [UInt8], before mark: String) -> ToolCallHeader {
        guard let end = bytes.firstRange(of: Array(mark.utf8)) else {
            return bytes.count > 256 ? .wrong : .open
        }
        var scan = HeaderScan(bytes: bytes, position: end.upperBound)
        scan.skipSpace()
        guard let next = scan.next else { return .open }
        guard next == UInt8(ascii: "{") else { return .wrong }
        var name = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        if name.hasPrefix("functions."), let colon = name.lastIndex(of: ":") {
            name = String(name[..<colon].dropFirst("functions.".count))
        }
        return .whole(name: name, length: scan.position)
    }
}

/// Goes through a header; at the end of the bytes it stops without complaint.
private struct HeaderScan {
    let bytes: [UInt8]
    var position = 0
    private(set) var isWrong = false

    init(bytes: [UInt8], position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    mutating func skip(_ text: String) {
        skipSpace()
        for byte in text.utf8 where !isWrong {
            guard let next else { return }
            if next == byte { position += 1 } else { isWrong = true }
        }
    }

    mutating func string() -> String? {
        skipSpace()
        guard !isWrong, let first = next else { return nil }
        guard first == UInt8(ascii: "\"") else {
            isWrong = true
            return nil
        }
        var end = position + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < bytes.count else {
            position = bytes.count
            return nil
        }
        defer { position = end + 1 }
        let rules = JSONRules(byteCount: 1 << 16, depth: 1, valueCount: 1)
        let text = try? JSONValue(json: Array(bytes[position...end]), rules: rules)
        if text == nil { isWrong = true }
        return text?.text
    }
}

/// Finds where a JSON object ends.
struct ObjectScanner: Sendable {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// How many of the next bytes belong to the object, and whether it ends with them.
    mutating func take(_ bytes: [UInt8]) -> (count: Int, isEnd: Bool) {
        for (index, byte) in bytes.enumerated() {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { return (index + 1, true) }
            default: break
            }
        }
        return (bytes.count, false)
    }
}
