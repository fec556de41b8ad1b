/// A regular expression over the characters of a text.
indirect enum TextPattern: Equatable {
    /// Any text.
    case anything
    /// One character.
    case scalars(ScalarSet)
    case sequence([TextPattern])
    case choice([TextPattern])
    /// `most` nil: any number.
    case repeated(TextPattern, least: Int, most: Int?)

    /// Reads an expression of JSON Schema (ECMA-262 with the flag u), which may be found anywhere
    /// in a text unless `^` and `$` hold it to the ends.
    ///
    /// - Throws: `SchemaError` for what is wrong, and for what is not supported: assertions other
    ///   than these two around a whole alternative, back references, properties of Unicode.
    init(_ source: String, path: String) throws(SchemaError) {
        guard source.unicodeScalars.count <= SchemaLimits.patternLength else {
            throw SchemaError(
                path, "has more than \(SchemaLimits.patternLength) characters")
        }
        var parser = PatternParser(source, path: path)
        self = try parser.whole()
    }
}

/// Reads regular expressions.
private struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private let path: String
    private var position = 0
    private var depth = 0

    private static let lineEnds = ScalarSet("\n\r\u{2028}\u{2029}")

    init(_ source: String, path: String) {
        scalars = Array(source.unicodeScalars)
        self.path = path
    }

    private var next: Unicode.Scalar? {
        position < scalars.count ? scalars[position] : nil
    }

    private func failure(_ message: String) -> SchemaError {
        SchemaError(path, "\(message) at character \(position + 1) of the pattern")
    }

    private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func accept(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    /// The alternatives of the outermost level, each held to the text's ends or not.
    mutating func whole() throws(SchemaError) -> TextPattern {
        var alternatives: [TextPattern] = []
        repeat {
            var parts: [TextPattern] = accept("^") ? [] : [.anything]
            parts.append(try sequence())
            if !accept("$") { parts.append(.anything) }
            alternatives.append(.sequence(parts))
        } while accept("|")
        guard next == nil else {
            throw failure(next == ")" ? "a group ends that did not begin" : "something is wrong")
        }
        return .choice(alternatives)
    }

    private mutating func alternatives() throws(SchemaError) -> TextPattern {
        var alternatives = [try sequence()]
        while accept("|") { alternatives.append(try sequence()) }
        return alternatives.count == 1 ? alternatives[0] : .choice(alternatives)
    }

    private mutating func sequence() throws(SchemaError) -> TextPattern {
        var parts: [TextPattern] = []
        while let scalar = next, !"|)$".unicodeScalars.contains(scalar) {
            parts.append(try repeated(try atom()))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func atom() throws(SchemaError) -> TextPattern {
        guard let scalar = next else { throw failure("something is missing") }
        position += 1
        switch scalar {
        case "(": return try group()
        case "[": return .scalars(try characterClass())
        case ".": return .scalars(.all.subtracting(Self.lineEnds))
        case "\\": return .scalars(try escape(inClass: false))
        case "^": throw unsupported("^ inside the pattern")
        case "*", "+", "?": throw failure("there is nothing to repeat")
        case "{", "}", "]": throw failure("\(scalar) needs a backslash")
        default: return .scalars(ScalarSet(scalar))
        }
    }

    private func unsupported(_ what: String) -> SchemaError { .unsupported(path, what) }

    private mutating func group() throws(SchemaError) -> TextPattern {
        depth += 1
        defer { depth -= 1 }
        guard depth <= SchemaLimits.patternDepth else {
            throw failure("groups nest deeper than \(SchemaLimits.patternDepth)")
        }
        if accept("?") {
            if accept("<"), let scalar = next, scalar != "=", scalar != "!" {
                while let scalar = next, scalar != ">" { position += 1 }
                guard accept(">") else { throw failure("the name of a group does not end") }
            } else if !accept(":") {
                throw unsupported("a group that looks ahead or behind")
            }
        }
        let inside = try alternatives()
        if next == "$" { throw unsupported("$ inside the pattern") }
        guard accept(")") else { throw failure("a group does not end") }
        return inside
    }

    private mutating func repeated(_ atom: TextPattern) throws(SchemaError) -> TextPattern {
        let result: TextPattern
        if accept("*") {
            result = .repeated(atom, least: 0, most: nil)
        } else if accept("+") {
            result = .repeated(atom, least: 1, most: nil)
        } else if accept("?") {
            result = .repeated(atom, least: 0, most: 1)
        } else if accept("{") {
            let least = try count()
            var most: Int? = least
            if accept(",") { most = next == "}" ? nil : try count() }
            guard accept("}"), most ?? least >= least else {
                throw failure("a number of repetitions is wrong")
            }
            result = .repeated(atom, least: least, most: most)
        } else {
            return atom
        }
        // Whether as many or as few as possible are tried first makes no difference here.
        _ = accept("?")
        return result
    }

    private mutating func count() throws(SchemaError) -> Int {
        var number = 0
        let start = position
        while let digit = next.flatMap({ Int(String($0)) }) {
            number = number * 10 + digit
            position += 1
            guard number <= SchemaLimits.states else {
                throw failure("a number of repetitions is above \(SchemaLimits.states)")
            }
        }
        guard position > start else { throw failure("a number is missing") }
        return number
    }

    /// From behind the opening bracket.
    private mutating func characterClass() throws(SchemaError) -> ScalarSet {
        let isNegative = accept("^")
        var set = ScalarSet([])
        while !accept("]") {
            let low = try classMember()
            guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                set = set.union(low)
                continue
            }
            position += 1
            let high = try classMember()
            guard let first = low.single, let last = high.single, first <= last else {
                throw failure("a range is not from one character to a later one")
            }
            set = set.union(ScalarSet([first...last]))
        }
        return isNegative ? ScalarSet.all.subtracting(set) : set
    }

    private mutating func classMember() throws(SchemaError) -> ScalarSet {
        guard let scalar = next else { throw failure("a class does not end") }
        position += 1
        return scalar == "\\" ? try escape(inClass: true) : ScalarSet(scalar)
    }

    /// From behind the backslash.
    private mutating func escape(inClass: Bool) throws(SchemaError) -> ScalarSet {
        guard let scalar = next else { throw failure("something is missing behind \\") }
        position += 1
        if let set = Self.classes[scalar] { return set }
        switch scalar {
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "f": return ScalarSet("\u{0C}")
        case "v": return ScalarSet("\u{0B}")
        case "0" where next.flatMap({ Int(String($0)) }) == nil: return ScalarSet("\0")
        case "b" where inClass: return ScalarSet("\u{08}")
        case "x": return try hexadecimal(2)
        case "u": return accept("{") ? try bracedHexadecimal() : try unicodeEscape()
        case "p", "P": throw unsupported("a property of Unicode")
        case "b", "B": throw unsupported("the boundary of a word")
        case "0"..."9", "k": throw unsupported("a back reference")
        case "a"..."z", "A"..."Z": throw failure("\\\(scalar) means nothing")
        default: return ScalarSet(scalar)
        }
    }

    private static let classes: [Unicode.Scalar: ScalarSet] = {
        let digits = ScalarSet([0x30...0x39])
        let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
        // White space and line ends by ECMA-262, section 22.2.2.9.
        let space = ScalarSet([
            0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A,
            0x2028...0x2029, 0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
        ])
        return [
            "d": digits, "D": .all.subtracting(digits), "w": word, "W": .all.subtracting(word),
            "s": space, "S": .all.subtracting(space),
        ]
    }()

    /// Four digits, or two times four for a surrogate pair.
    private mutating func unicodeEscape() throws(SchemaError) -> ScalarSet {
        let first = try digits(4)
        guard UTF16.isLeadSurrogate(UInt16(first)), accept("\\u") else { return try set(first) }
        let second = try digits(4)
        guard UTF16.isTrailSurrogate(UInt16(second)) else {
            throw failure("half of a surrogate pair")
        }
        return try set(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func hexadecimal(_ count: Int) throws(SchemaError) -> ScalarSet {
        try set(try digits(count))
    }

    private mutating func bracedHexadecimal() throws(SchemaError) -> ScalarSet {
        let end = scalars[position...].prefix(8).firstIndex(of: "}")
        guard let end, end > position else { throw failure("a code point is wrong") }
        let value = try digits(end - position)
        _ = accept("}")
        return try set(value)
    }

    private mutating func digits(_ count: Int) throws(SchemaError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = next.flatMap({ Character($0).hexDigitValue }) else {
                throw failure("a hexadecimal digit is missing")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func set(_ value: UInt32) throws(SchemaError) -> ScalarSet {
        guard let scalar = Unicode.Scalar(value) else {
            throw failure("half of a surrogate pair, or no character")
        }
        return ScalarSet(scalar)
    }
}

extension ScalarSet {
    /// The scalar of a set of one.
    fileprivate var single: UInt32? {
        guard ranges.count == 1, ranges[0].count == 1 else { return nil }
        return ranges[0].lowerBound
    }
}
