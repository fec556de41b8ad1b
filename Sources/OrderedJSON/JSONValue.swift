/// A JSON value as its document has it: members in order, whole numbers apart from others, texts
/// as bytes.
package enum JSONValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    /// A number without fraction and exponent that fits 64 bits. A size must not pass through a
    /// Double.
    case integer(Int)
    /// Any other number; finite.
    case number(Double)
    case string(JSONString)
    case array([JSONValue])
    /// Members in order. A key may stand twice unless ``JSONRules`` refuse that.
    case object([Member])

    /// One key of an object with its value.
    package struct Member: Sendable, Equatable {
        package let key: JSONString
        package let value: JSONValue

        package init(key: JSONString, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Reads one JSON document (RFC 8259).
    ///
    /// - Parameters:
    ///   - json: the document, UTF-8.
    ///   - rules: what it may ask for.
    /// - Throws: the first thing that is wrong and where it stands.
    /// - Complexity: O(bytes), one allocation per text and container. Recurses `rules.depth` deep.
    package init(json: [UInt8], rules: JSONRules) throws(JSONError) {
        self = try JSONReader.read(json, rules: rules)
    }

    /// The last member of that name; nil where there is none, where it is null, and in anything
    /// but an object. O(members).
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self,
            let member = members.last(where: { $0.key.utf8.elementsEqual(key.utf8) }),
            member.value != .null
        else { return nil }
        return member.value
    }

    /// The text as Swift has it, or nil for another kind of value. O(bytes).
    package var text: String? {
        guard case .string(let string) = self else { return nil }
        return string.text
    }
}
