extension Fuzzer {
    /// What values are replaced by: edge numbers, and the wrong kinds of value.
    private static let literals = [
        "null", "true", "false", "0", "-1", "1", "7", "4096", "2147483648",
        "9223372036854775807", "18446744073709551616", "-0.0", "0.5", "1e308", "1e999", "\"\"",
        "\"x\"", "\"\\ud800\"", "[]", "{}", "[[[]]]", "[0,0]",
    ].map { Array($0.utf8) }

    /// Most bytes that are copied from one place of a document to another.
    private static let copiedBytes = 4096

    /// A damaged copy of a JSON document: one to three values or keys replaced by edge cases or by
    /// other values of the document, which leaves the syntax whole; one time in four bytes are
    /// damaged as by `mutate`, which rarely does.
    ///
    /// - Parameter generator: all randomness, so that a seed replays a failure.
    /// - Complexity: O(bytes).
    package static func mutateJSON(
        _ bytes: [UInt8], using generator: inout some RandomNumberGenerator
    ) -> [UInt8] {
        guard !bytes.isEmpty, Int.random(in: 0..<4, using: &generator) > 0 else {
            return mutate(bytes, in: 0..<bytes.count, using: &generator)
        }
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = value(in: bytes, after: Int.random(in: bytes.indices, using: &generator))
            let other = value(in: bytes, after: Int.random(in: bytes.indices, using: &generator))
            let copies = other.count <= copiedBytes && Bool.random(using: &generator)
            let literal = literals.randomElement(using: &generator) ?? []
            bytes.replaceSubrange(place, with: copies ? Array(bytes[other]) : literal)
            guard !bytes.isEmpty else { break }
        }
        return bytes
    }

    /// The value or key after the next separator behind `start`; empty at the end.
    private static func value(in bytes: [UInt8], after start: Int) -> Range<Int> {
        let separators: [UInt8] = [UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "[")]
        guard let separator = bytes[start...].firstIndex(where: separators.contains) else {
            return bytes.count..<bytes.count
        }
        let begin = bytes[(separator + 1)...].firstIndex { $0 > 0x20 } ?? bytes.count
        return begin..<end(of: begin, in: bytes)
    }

    /// Where the value that begins at `begin` ends; brackets in texts count as texts.
    private static func end(of begin: Int, in bytes: [UInt8]) -> Int {
        var depth = 0
        var isText = false
        var index = begin
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\") where isText: index += 1
            case UInt8(ascii: "\""): isText.toggle()
            case UInt8(ascii: "{") where !isText, UInt8(ascii: "[") where !isText: depth += 1
            case UInt8(ascii: "}") where !isText, UInt8(ascii: "]") where !isText:
                guard depth > 0 else { return index }
                depth -= 1
            case UInt8(ascii: ",") where !isText && depth == 0,
                UInt8(ascii: ":") where !isText && depth == 0:
                return index
            default: break
            }
            index += 1
        }
        return bytes.count
    }
}
