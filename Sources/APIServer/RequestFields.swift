import OrderedJSON

/// The members of a request's body, read with their limits.
struct RequestFields {
    /// Most bytes of a body.
    static let byteLimit = 8 << 20

    let json: JSONValue

    init(_ body: [UInt8]) throws(APIError) {
        let rules = JSONRules(byteCount: Self.byteLimit, depth: 64, valueCount: 1 << 20)
        do {
            json = try JSONValue(json: body, rules: rules)
        } catch {
            throw APIError(400, "body: \(error)", code: "invalid_json")
        }
        guard case .object = json else {
            throw APIError(400, "body: must be a JSON object", code: "invalid_json")
        }
    }

    init(_ json: JSONValue) { self.json = json }

    subscript(_ name: String) -> JSONValue? { json[name] }

    func number(
        _ name: String, in range: ClosedRange<Double>
    ) throws(APIError) -> Double? {
        let value: Double
        switch json[name] {
        case nil: return nil
        case .integer(let number): value = Double(number)
        case .number(let number): value = number
        default: throw .invalid(name, "must be a number")
        }
        guard range.contains(value) else {
            throw .invalid(name, "must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let value = json[name] else { return nil }
        guard let number = value.wholeNumber, range.contains(number) else {
            throw .invalid(
                name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func boolean(_ name: String) throws(APIError) -> Bool? {
        switch json[name] {
        case nil: return nil
        case .boolean(let flag): return flag
        default: throw .invalid(name, "must be true or false")
        }
    }

    func text(_ name: String) throws(APIError) -> String? {
        switch json[name] {
        case nil: return nil
        case .string(let text): return text.text
        default: throw .invalid(name, "must be a text")
        }
    }

    func array(_ name: String, limit: Int) throws(APIError) -> [JSONValue]? {
        switch json[name] {
        case nil: return nil
        case .array(let values) where values.count <= limit: return values
        default: throw .invalid(name, "must be an array of at most \(limit)")
        }
    }

    func object(_ name: String) throws(APIError) -> RequestFields? {
        switch json[name] {
        case nil: return nil
        case .object(let members): return RequestFields(.object(members))
        default: throw .invalid(name, "must be an object")
        }
    }

    /// A text, or an array of texts.
    func texts(_ name: String, limit: Int) throws(APIError) -> [String] {
        if case .string(let text) = json[name] { return [text.text] }
        guard let values = try array(name, limit: limit) else { return [] }
        var texts: [String] = []
        for value in values {
            guard let text = value.text else { throw .invalid(name, "must be of texts") }
            texts.append(text)
        }
        return texts
    }
}

extension JSONValue {
    /// The value of a number without a fraction, however it is written; nil for all else.
    var wholeNumber: Int? {
        switch self {
        case .integer(let number): number
        case .number(let number): Int(exactly: number)
        default: nil
        }
    }
}
