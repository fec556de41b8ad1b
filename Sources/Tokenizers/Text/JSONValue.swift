/// A JSON value whose strings and keys are UTF-8 bytes.
///
/// Foundation's parsers deliver `String` keys, and Swift compares strings by canonical equivalence:
/// a vocabulary with both the composed and the decomposed form of a character would lose an entry.
enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string([UInt8])
    case array([JSONValue])
    /// Members in file order; keys may repeat.
    case object([Member])

    struct Member: Sendable {
        let key: [UInt8]
        let value: JSONValue
    }

    /// The word for this kind of value in an error message.
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A JSON value together with where it stands in the file, so that every reading error names both.
struct JSONField {
    let value: JSONValue
    let path: String
    let reporter: ErrorReporter

    var isNull: Bool {
        if case .null = value { true } else { false }
    }

    /// The last member called `name`, or a null field when there is none.
    subscript(_ name: StaticString) -> JSONField {
        let key = "\(name)"
        let child = path.isEmpty ? key : "\(path).\(key)"
        guard case .object(let members) = value else {
            return JSONField(value: .null, path: child, reporter: reporter)
        }
        let found = members.last { $0.key.elementsEqual(key.utf8) }
        return JSONField(value: found?.value ?? .null, path: child, reporter: reporter)
    }

    func bytes() throws(TokenizerError) -> [UInt8] {
        guard case .string(let bytes) = value else { throw wrongKind("a string") }
        return bytes
    }

    func string() throws(TokenizerError) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    func boolean(default fallback: Bool? = nil) throws(TokenizerError) -> Bool {
        if let fallback, isNull { return fallback }
        guard case .boolean(let flag) = value else { throw wrongKind("true or false") }
        return flag
    }

    func array() throws(TokenizerError) -> [JSONField] {
        guard case .array(let elements) = value else { throw wrongKind("an array") }
        return elements.enumerated().map {
            JSONField(value: $0.element, path: "\(path)[\($0.offset)]", reporter: reporter)
        }
    }

    func members() throws(TokenizerError) -> [JSONValue.Member] {
        guard case .object(let members) = value else { throw wrongKind("an object") }
        return members
    }

    /// A whole number from 0 through `maximum`.
    func integer(through maximum: Int) throws(TokenizerError) -> Int {
        guard case .number(let number) = value else { throw wrongKind("a number") }
        guard let whole = Int(exactly: number), whole >= 0, whole <= maximum else {
            throw reporter.exceeded("\(path) is \(number), expected a whole number 0...\(maximum)")
        }
        return whole
    }

    private func wrongKind(_ expected: String) -> TokenizerError {
        reporter.malformed("\(path) is \(value.kind), expected \(expected)")
    }
}
