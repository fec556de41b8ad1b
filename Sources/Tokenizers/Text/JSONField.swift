import OrderedJSON

/// A JSON value together with where it stands in the file, so that every reading error names both.
struct JSONField {
    let value: JSONValue
    let path: String
    let reporter: ErrorReporter

    /// The root of a tokenizer.json.
    ///
    /// - Complexity: O(bytes), one allocation per text.
    static func root(
        of json: [UInt8], reporter: ErrorReporter
    ) throws(TokenizerError) -> JSONField {
        do throws(JSONError) {
            let value = try JSONValue(json: json, rules: TokenizerLimits.json)
            return JSONField(value: value, path: "", reporter: reporter)
        } catch {
            switch error.code {
            case .malformed: throw reporter.malformed(error.description)
            case .overLimit: throw reporter.exceeded(error.description)
            }
        }
    }

    var isNull: Bool { value == .null }

    /// The last member called `name`, or a null field when there is none.
    subscript(_ name: StaticString) -> JSONField {
        let key = "\(name)"
        return JSONField(
            value: value[key] ?? .null, path: path.isEmpty ? key : "\(path).\(key)",
            reporter: reporter)
    }

    func bytes() throws(TokenizerError) -> [UInt8] {
        guard case .string(let string) = value else { throw wrongKind("a string") }
        return string.utf8
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
        switch value {
        case .integer(let whole) where 0...maximum ~= whole: return whole
        case .integer(let whole): throw outOfRange("\(whole)", maximum)
        case .number(let number): throw outOfRange("\(number)", maximum)
        default: throw wrongKind("a number")
        }
    }

    private func outOfRange(_ number: String, _ maximum: Int) -> TokenizerError {
        reporter.exceeded("\(path) is \(number), expected a whole number 0...\(maximum)")
    }

    private func wrongKind(_ expected: String) -> TokenizerError {
        reporter.malformed("\(path) is \(value.kind), expected \(expected)")
    }
}

extension JSONValue {
    /// The word for this kind of value in an error message.
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
