import OrderedJSON

extension TemplateValue {
    /// Reads one JSON document (RFC 8259), keeping the order of keys.
    ///
    /// Numbers without point and exponent become `int`; one that does not fit 64 bits is refused.
    /// A lone surrogate escape becomes U+FFFD, since Swift's text cannot hold it. Of a key that
    /// comes twice the last value counts, at its first place, as in Python.
    ///
    /// - Parameter json: UTF-8 bytes, at most ``TemplateLimits/jsonBytes``, at most
    ///   ``TemplateLimits/valueDepth`` levels deep, at most ``TemplateLimits/jsonValues`` values.
    /// - Throws: `JSONError` with the offset of the first wrong byte.
    /// - Complexity: O(bytes).
    package init(json: [UInt8]) throws(JSONError) {
        do throws(OrderedJSON.JSONError) {
            self.init(try JSONValue(json: json, rules: TemplateLimits.json))
        } catch {
            throw JSONError(message: error.message, offset: error.offset)
        }
    }

    /// Why bytes are not a JSON document.
    package struct JSONError: Error, Equatable, CustomStringConvertible {
        /// What is wrong, on one line.
        package let message: String
        /// Byte offset of the problem.
        package let offset: Int
        /// The message with its offset.
        package var description: String { "JSON, byte \(offset): \(message)" }
    }

    private init(_ json: JSONValue) {
        switch json {
        case .null: self = .null
        case .boolean(let flag): self = .bool(flag)
        case .integer(let number): self = .int(number)
        case .number(let number): self = .double(number)
        case .string(let string): self = .string(string.text)
        case .array(let values): self = .array(values.map { TemplateValue($0) })
        case .object(let members):
            self = .object(TemplateObject(members.map { ($0.key.text, TemplateValue($0.value)) }))
        }
    }
}
