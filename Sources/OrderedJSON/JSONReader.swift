/// Reads a JSON document from front to back, descending into arrays and objects.
struct JSONReader {
    let json: [UInt8]
    let rules: JSONRules
    var position = 0
    private var depth = 0
    private var valueCount = 0

    static func read(_ json: [UInt8], rules: JSONRules) throws(JSONError) -> JSONValue {
        var reader = JSONReader(json: json, rules: rules)
        try reader.checkBytes()
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == json.count else { throw reader.expected("the end") }
        return value
    }

    private init(json: [UInt8], rules: JSONRules) {
        self.json = json
        self.rules = rules
    }

    private func checkBytes() throws(JSONError) {
        guard json.count <= rules.byteCount else {
            throw failure(
                .overLimit, "the document has \(json.count) bytes, the limit is \(rules.byteCount)",
                at: 0)
        }
        guard !UTF8Validation.isValid(json) else { return }
        throw failure(.malformed, "is not UTF-8", at: UTF8Validation.validPrefixCount(json))
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        skipSpace()
        valueCount += 1
        guard valueCount <= rules.valueCount else {
            throw failure(.overLimit, "has more than \(rules.valueCount) values", at: position)
        }
        switch next {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object() throws(JSONError) -> [JSONValue.Member] {
        try descend()
        var members: [JSONValue.Member] = []
        var keys: Set<JSONString> = []
        if !accept(UInt8(ascii: "}")) {
            repeat {
                let key = try key(&keys)
                members.append(JSONValue.Member(key: key, value: try value()))
            } while accept(UInt8(ascii: ","))
            guard accept(UInt8(ascii: "}")) else { throw expected("\",\" or \"}\"") }
        }
        depth -= 1
        return members
    }

    private mutating func key(_ keys: inout Set<JSONString>) throws(JSONError) -> JSONString {
        skipSpace()
        let start = position
        guard next == UInt8(ascii: "\"") else { throw expected("a key") }
        let key = try string()
        if rules.refusals.contains(.repeatedKeys), !keys.insert(key).inserted {
            throw failure(.malformed, "the key \(key.excerpt) appears twice", at: start)
        }
        guard accept(UInt8(ascii: ":")) else { throw expected("\":\"") }
        return key
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try descend()
        var elements: [JSONValue] = []
        if !accept(UInt8(ascii: "]")) {
            repeat { elements.append(try value()) } while accept(UInt8(ascii: ","))
            guard accept(UInt8(ascii: "]")) else { throw expected("\",\" or \"]\"") }
        }
        depth -= 1
        return elements
    }

    private mutating func descend() throws(JSONError) {
        depth += 1
        guard depth <= rules.depth else {
            throw failure(.overLimit, "nests deeper than \(rules.depth) levels", at: position)
        }
        position += 1
    }

    private mutating func word(
        _ text: String, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        let start = position
        for byte in text.utf8 {
            guard consume(byte) else { throw expected("a value", at: start) }
        }
        return value
    }
}

extension JSONReader {
    /// The byte at the position; 0, which no rule accepts, at the end.
    var next: UInt8 { position < json.count ? json[position] : 0 }

    mutating func consume(_ byte: UInt8) -> Bool {
        guard position < json.count, json[position] == byte else { return false }
        position += 1
        return true
    }

    func expected(_ what: String, at offset: Int? = nil) -> JSONError {
        failure(.malformed, "expected \(what)", at: offset ?? position)
    }

    func failure(_ code: JSONError.Code, _ message: String, at offset: Int) -> JSONError {
        JSONError(code, message, at: offset, in: json)
    }

    /// Skips space and takes `byte` if it comes next.
    private mutating func accept(_ byte: UInt8) -> Bool {
        skipSpace()
        return consume(byte)
    }

    private mutating func skipSpace() {
        while position < json.count {
            switch json[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }
}
