/// Searching and splitting text by exact scalars, on its UTF-8 bytes.
enum TextSearch {
    /// Byte offset of the first occurrence of `part` at or after `start`. O(bytes of both).
    static func first(_ part: String, in text: String, from start: Int = 0) -> Int? {
        first(Array(part.utf8), in: Array(text.utf8), from: start)
    }

    static func first(_ part: [UInt8], in bytes: [UInt8], from start: Int = 0) -> Int? {
        guard let head = part.first else { return start <= bytes.count ? start : nil }
        var index = start
        while index + part.count <= bytes.count {
            if bytes[index] == head, bytes[index...].starts(with: part) { return index }
            index += 1
        }
        return nil
    }

    static func last(_ part: [UInt8], in bytes: [UInt8], before end: Int) -> Int? {
        var index = end - part.count
        while index >= 0 {
            if bytes[index...].starts(with: part) { return index }
            index -= 1
        }
        return nil
    }

    /// Offsets of occurrences that do not overlap, at most `limit` of them.
    static func all(_ part: [UInt8], in bytes: [UInt8], limit: Int = Int.max) -> [Int] {
        var result: [Int] = []
        var start = 0
        while result.count < limit, let index = first(part, in: bytes, from: start) {
            result.append(index)
            start = index + part.count
        }
        return result
    }

    /// Python's `str.split(separator, limit)`; the separator is not empty.
    static func split(_ text: String, _ separator: String, limit: Int) -> [String] {
        let (bytes, part) = (Array(text.utf8), Array(separator.utf8))
        let cuts = all(part, in: bytes, limit: limit < 0 ? Int.max : limit)
        return pieces(bytes, cuts, part.count)
    }

    /// Python's `str.rsplit(separator, limit)`.
    static func splitFromEnd(_ text: String, _ separator: String, limit: Int) -> [String] {
        let (bytes, part) = (Array(text.utf8), Array(separator.utf8))
        var cuts: [Int] = []
        var end = bytes.count
        while limit < 0 || cuts.count < limit, let index = last(part, in: bytes, before: end) {
            cuts.append(index)
            end = index
        }
        return pieces(bytes, cuts.reversed(), part.count)
    }

    private static func pieces(_ bytes: [UInt8], _ cuts: [Int], _ length: Int) -> [String] {
        var result: [String] = []
        var start = 0
        for cut in cuts + [bytes.count] {
            result.append(String(decoding: bytes[start..<cut], as: UTF8.self))
            start = cut + length
        }
        return result
    }

    /// Python's `str.split()`: at runs of white space; what is left over after `limit` cuts stays.
    static func splitAtSpace(_ text: String, limit: Int, fromEnd: Bool) -> [String] {
        var rest = Array(text.unicodeScalars)[...]
        if fromEnd { rest = ArraySlice(rest.reversed()) }
        var result: [ArraySlice<Unicode.Scalar>] = []
        while true {
            rest = rest.drop { $0.isPythonSpace }
            guard !rest.isEmpty else { break }
            if limit >= 0, result.count == limit {
                result.append(rest)
                break
            }
            let word = rest.prefix { !$0.isPythonSpace }
            result.append(word)
            rest = rest.dropFirst(word.count)
        }
        if fromEnd { return result.reversed().map { String(scalars: $0.reversed()) } }
        return result.map { String(scalars: $0) }
    }

    /// Python's `str.splitlines`.
    static func lines(_ text: String, keepsEnds: Bool = false) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var result: [String] = []
        var start = 0
        while start < scalars.count {
            let end = scalars[start...].firstIndex(where: \.isLineBreak) ?? scalars.count
            var after = min(end + 1, scalars.count)
            if end + 1 < scalars.count, scalars[end] == "\r", scalars[end + 1] == "\n" {
                after += 1
            }
            result.append(String(scalars: scalars[start..<(keepsEnds ? after : end)]))
            start = after
        }
        return result
    }

    /// Python's `str.replace`; a negative limit means all.
    static func replace(
        _ text: String, _ old: String, _ new: String, limit: Int, _ interpreter: Interpreter
    ) throws -> String {
        try interpreter.charge(1 + (text.utf8.count + new.utf8.count) / 16)
        guard !old.isEmpty else { return try insert(new, in: text, limit: limit, interpreter) }
        let pieces = split(text, old, limit: limit)
        let (bytes, _) = (pieces.count - 1).multipliedReportingOverflow(by: new.utf8.count)
        try interpreter.checkText(bytes: text.utf8.count + bytes)
        return try interpreter.charge(pieces.joined(separator: new))
    }

    /// Replacing the empty text inserts before each character and at the end.
    private static func insert(
        _ new: String, in text: String, limit: Int, _ interpreter: Interpreter
    ) throws -> String {
        let scalars = text.unicodeScalars
        let (bytes, isOverflow) = (scalars.count + 1).multipliedReportingOverflow(
            by: new.utf8.count)
        try interpreter.checkText(bytes: isOverflow ? Int.max / 2 : bytes + text.utf8.count)
        var result = ""
        var left = limit < 0 ? Int.max : limit
        for scalar in scalars {
            if left > 0 { result += new }
            left -= left > 0 ? 1 : 0
            result.unicodeScalars.append(scalar)
        }
        return try interpreter.charge(left > 0 ? result + new : result)
    }

    /// Python's `str.strip(characters)` on the sides; white space where no characters are given.
    static func strip(_ text: String, _ characters: String?, left: Bool, right: Bool) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func isStripped(_ scalar: Unicode.Scalar) -> Bool {
            set?.contains(scalar) ?? scalar.isPythonSpace
        }
        var rest = text.unicodeScalars[...]
        if left { rest = rest.drop(while: isStripped) }
        if right { while let last = rest.last, isStripped(last) { rest.removeLast() } }
        return String(String.UnicodeScalarView(rest))
    }
}

/// Text as part of HTML.
enum HTMLText {
    /// The text with the five special characters escaped, as MarkupSafe writes them.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&#39;"
            case "\"": result += "&#34;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The value as escaped text, unless it is marked as safe.
    static func escaped(_ value: Value, _ interpreter: Interpreter) throws -> String {
        if case .markup(let text) = value { return text }
        return try interpreter.charge(escaped(try value.string(interpreter)))
    }
}
