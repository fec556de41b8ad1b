/// Splits template source into tokens, as Jinja does with `trim_blocks` and `lstrip_blocks`:
///
/// - the first newline after a block or comment is dropped, white space before one on its line too;
/// - `-` inside a tag's border drops all white space on that side, `+` keeps it;
/// - one newline at the end of the source is dropped.
struct Lexer {
    private let source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var tokens: [Token] = []
    /// Closing brackets that are awaited in the current tag.
    private var brackets: [Unicode.Scalar] = []
    /// Whether the last thing read ended with a newline.
    private var isLineStart = true

    private init(_ source: String) {
        var scalars: [Unicode.Scalar] = []
        var isAfterReturn = false
        for scalar in source.unicodeScalars {
            if scalar == "\r" || !(scalar == "\n" && isAfterReturn) {
                scalars.append(scalar == "\r" ? "\n" : scalar)
            }
            isAfterReturn = scalar == "\r"
        }
        if scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
    }

    /// All tokens of the source, with `end` last. O(length).
    static func tokens(of source: String) throws -> [Token] {
        var lexer = Lexer(source)
        while lexer.position < lexer.source.count { try lexer.readDataAndTag() }
        lexer.add(.end, "")
        return lexer.tokens
    }

    private mutating func add(_ kind: Token.Kind, _ text: String) {
        tokens.append(Token(kind: kind, text: text, line: line))
    }

    private func failure(_ message: String) -> Failure { Failure(.syntax, message, line: line) }

    private func scalar(at index: Int) -> Unicode.Scalar? {
        source.indices.contains(index) ? source[index] : nil
    }

    private func matches(_ text: String, at index: Int) -> Bool {
        source[min(index, source.count)...].starts(with: text.unicodeScalars)
    }

    /// Moves to `end`, counting lines.
    private mutating func advance(to end: Int) {
        for scalar in source[position..<end] where scalar == "\n" { line += 1 }
        if end > position { isLineStart = source[end - 1] == "\n" }
        position = end
    }

    private mutating func skipSpace() { advance(to: endOfSpace(from: position)) }

    private func endOfSpace(from start: Int) -> Int {
        var end = start
        while let scalar = scalar(at: end), scalar.isPythonSpace { end += 1 }
        return end
    }

    // MARK: - Outside of tags

    private mutating func readDataAndTag() throws {
        let start = position
        var begin = start
        while begin < source.count, !isTagBegin(begin) { begin += 1 }
        guard begin < source.count else {
            add(.data, String(scalars: source[start...]))
            return advance(to: begin)
        }
        let raw = rawBegin(at: begin)
        let sign = scalar(at: begin + 2)
        let isVariable = source[begin + 1] == "{"
        addData(from: start, to: begin, sign: sign, isVariable: isVariable)
        advance(to: begin)
        if let raw {
            advance(to: raw)
            return try readRaw()
        }
        advance(to: begin + (sign == "-" || sign == "+" ? 3 : 2))
        switch source[begin + 1] {
        case "#": try readComment()
        case "{": try readTag(.variableBegin, .variableEnd, "}}")
        default: try readTag(.blockBegin, .blockEnd, "%}")
        }
    }

    private func isTagBegin(_ index: Int) -> Bool {
        guard source[index] == "{", let next = scalar(at: index + 1) else { return false }
        return next == "%" || next == "{" || next == "#"
    }

    private mutating func addData(
        from start: Int, to end: Int, sign: Unicode.Scalar?, isVariable: Bool
    ) {
        var kept = end
        if sign == "-" {
            while kept > start, source[kept - 1].isPythonSpace { kept -= 1 }
        } else if sign != "+", !isVariable {
            while kept > start, source[kept - 1].isPythonSpace, source[kept - 1] != "\n" {
                kept -= 1
            }
            let startsLine = kept > start ? source[kept - 1] == "\n" : isLineStart
            if !startsLine { kept = end }
        }
        if kept > start { add(.data, String(scalars: source[start..<kept])) }
    }

    /// The end of a `{% raw %}` tag that begins at `index`.
    private func rawBegin(at index: Int) -> Int? {
        guard source[index + 1] == "%" else { return nil }
        guard let name = endOfWord("raw", afterTagAt: index) else { return nil }
        if matches("-%}", at: name) { return endOfSpace(from: name + 3) }
        return matches("%}", at: name) ? name + 2 : nil
    }

    /// The position after `{%`, a sign, white space, `word` and white space.
    private func endOfWord(_ word: String, afterTagAt index: Int) -> Int? {
        var end = index + 2
        if let sign = scalar(at: end), sign == "-" || sign == "+" { end += 1 }
        end = endOfSpace(from: end)
        guard matches(word, at: end) else { return nil }
        return endOfSpace(from: end + word.utf8.count)
    }

    private mutating func readRaw() throws {
        let start = position
        for begin in start..<source.count where matches("{%", at: begin) {
            guard let name = endOfWord("endraw", afterTagAt: begin) else { continue }
            let isSigned = matches("-%}", at: name) || matches("+%}", at: name)
            guard isSigned || matches("%}", at: name) else { continue }
            addData(from: start, to: begin, sign: scalar(at: begin + 2), isVariable: false)
            advance(to: name)
            return closeTag(length: 2, trimsLine: true)
        }
        throw failure("Missing end of raw directive")
    }

    private mutating func readComment() throws {
        var end = position
        while !matches("#}", at: end) {
            guard end < source.count else { throw failure("Missing end of comment tag") }
            end += 1
        }
        let isSigned = end > position && (source[end - 1] == "-" || source[end - 1] == "+")
        advance(to: isSigned ? end - 1 : end)
        closeTag(length: 2, trimsLine: true)
    }

    /// Passes the end of a tag, an optional sign before it, and the white space that it drops.
    private mutating func closeTag(length: Int, trimsLine: Bool) {
        let sign = source[position]
        let isSigned = sign == "-" || sign == "+"
        advance(to: position + length + (isSigned ? 1 : 0))
        if sign == "-" {
            skipSpace()
        } else if sign != "+", trimsLine, scalar(at: position) == "\n" {
            advance(to: position + 1)
        }
    }

    // MARK: - Inside of tags

    private mutating func readTag(
        _ begin: Token.Kind, _ end: Token.Kind, _ closing: String
    ) throws {
        add(begin, "")
        brackets = []
        while true {
            if brackets.isEmpty, isTagEnd(closing) {
                add(end, "")
                return closeTag(length: 2, trimsLine: end == .blockEnd)
            }
            guard position < source.count else { return }
            try readToken()
        }
    }

    private func isTagEnd(_ closing: String) -> Bool {
        let sign = scalar(at: position)
        let isSigned = sign == "-" || (sign == "+" && closing == "%}")
        return matches(closing, at: isSigned ? position + 1 : position)
    }

    private mutating func readToken() throws {
        let scalar = source[position]
        if scalar.isPythonSpace {
            skipSpace()
        } else if scalar.isDecimal {
            readNumber()
        } else if scalar.isWord {
            readName()
        } else if scalar == "'" || scalar == "\"" {
            try readString(quote: scalar)
        } else {
            try readSymbol()
        }
    }

    private mutating func readName() {
        var end = position
        while let next = scalar(at: end), next.isWord { end += 1 }
        add(.name, String(scalars: source[position..<end]))
        advance(to: end)
    }

    private mutating func readString(quote: Unicode.Scalar) throws {
        var end = position + 1
        while let next = scalar(at: end), next != quote { end += next == "\\" ? 2 : 1 }
        guard end < source.count else {
            throw failure("unexpected char \(Value.quoted(String(quote))) at \(position)")
        }
        add(.string, try StringLiteral.text(of: source[(position + 1)..<end], line: line))
        advance(to: end + 1)
    }

    private static let symbols = ["//", "**", "==", "!=", ">=", "<="]
    private static let single = Set("+-/*%~[](){}><=.:|,;".unicodeScalars)
    private static let closing: [Unicode.Scalar: Unicode.Scalar] = ["(": ")", "[": "]", "{": "}"]

    private mutating func readSymbol() throws {
        let scalar = source[position]
        if let symbol = Self.symbols.first(where: { matches($0, at: position) }) {
            add(.symbol, symbol)
            return advance(to: position + 2)
        }
        guard Self.single.contains(scalar) else {
            throw failure("unexpected char \(Value.quoted(String(scalar))) at \(position)")
        }
        if let closing = Self.closing[scalar] { brackets.append(closing) }
        if Self.closing.values.contains(scalar) {
            guard let expected = brackets.popLast() else {
                throw failure("unexpected '\(scalar)'")
            }
            guard expected == scalar else {
                throw failure("unexpected '\(scalar)', expected '\(expected)'")
            }
        }
        add(.symbol, String(scalar))
        advance(to: position + 1)
    }

    // MARK: - Numbers

    private mutating func readNumber() {
        let start = position
        if let end = endOfPrefixedInteger(start) { return add(.integer, from: start, to: end) }
        let whole = endOfDigits(from: start) ?? start
        var end = whole
        if position == 0 || source[position - 1] != "." {
            if scalar(at: end) == ".", let fraction = endOfDigits(from: end + 1) { end = fraction }
            end = endOfExponent(from: end) ?? end
        }
        if end > whole { return add(.float, from: start, to: end) }
        add(.integer, from: start, to: source[start] == "0" ? endOfZeros(from: start) : whole)
    }

    private mutating func add(_ kind: Token.Kind, from start: Int, to end: Int) {
        add(kind, String(scalars: source[start..<end].filter { $0 != "_" }))
        advance(to: end)
    }

    private func endOfDigits(
        from start: Int, where isDigit: (Unicode.Scalar) -> Bool = { ("0"..."9").contains($0) }
    ) -> Int? {
        var end = start
        while let next = scalar(at: end) {
            if isDigit(next) {
                end += 1
            } else if next == "_", end > start, let after = scalar(at: end + 1), isDigit(after) {
                end += 2
            } else {
                break
            }
        }
        return end > start ? end : nil
    }

    private func endOfZeros(from start: Int) -> Int {
        endOfDigits(from: start) { $0 == "0" } ?? start + 1
    }

    private func endOfExponent(from start: Int) -> Int? {
        guard let mark = scalar(at: start), mark == "e" || mark == "E" else { return nil }
        let sign = scalar(at: start + 1)
        return endOfDigits(from: start + (sign == "+" || sign == "-" ? 2 : 1))
    }

    /// The end of `0x…`, `0o…` or `0b…`.
    private func endOfPrefixedInteger(_ start: Int) -> Int? {
        guard source[start] == "0", let mark = scalar(at: start + 1) else { return nil }
        let first = scalar(at: start + 2) == "_" ? start + 3 : start + 2
        switch mark {
        case "x", "X": return endOfDigits(from: first) { $0.properties.isASCIIHexDigit }
        case "o", "O": return endOfDigits(from: first) { ("0"..."7").contains($0) }
        case "b", "B": return endOfDigits(from: first) { $0 == "0" || $0 == "1" }
        default: return nil
        }
    }
}
