extension JSONReader {
    /// A number by the grammar of RFC 8259, section 6.
    mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        _ = consume(UInt8(ascii: "-"))
        let first = position
        guard skipDigits() else { throw expected("a value", at: start) }
        guard json[first] != UInt8(ascii: "0") || position == first + 1 else {
            throw failure(.malformed, "a number begins with 0", at: start)
        }
        let whole = position
        try skipFraction()
        try skipExponent()
        guard position - start <= JSONRules.numberByteCount else {
            throw failure(
                .overLimit, "a number has more than \(JSONRules.numberByteCount) bytes", at: start)
        }
        let text = String(decoding: json[start..<position], as: UTF8.self)
        if position > whole { return .number(try double(text, at: start)) }
        if let integer = Int(text) { return .integer(integer) }
        guard !rules.refusals.contains(.largeIntegers) else {
            throw failure(.malformed, "a whole number does not fit 64 bits", at: start)
        }
        return .number(try double(text, at: start))
    }

    private func double(_ text: String, at start: Int) throws(JSONError) -> Double {
        guard let number = Double(text), number.isFinite else {
            throw failure(.malformed, "a number is not in the range of a Double", at: start)
        }
        return number
    }

    private mutating func skipFraction() throws(JSONError) {
        guard consume(UInt8(ascii: ".")) else { return }
        guard skipDigits() else { throw expected("a digit") }
    }

    private mutating func skipExponent() throws(JSONError) {
        guard consume(UInt8(ascii: "e")) || consume(UInt8(ascii: "E")) else { return }
        _ = consume(UInt8(ascii: "+")) || consume(UInt8(ascii: "-"))
        guard skipDigits() else { throw expected("a digit") }
    }

    /// Returns whether there was at least one.
    private mutating func skipDigits() -> Bool {
        let start = position
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { position += 1 }
        return position > start
    }
}
