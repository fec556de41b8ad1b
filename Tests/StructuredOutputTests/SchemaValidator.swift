import Foundation
import OrderedJSON

/// An oracle: whether a value follows a schema, as simply as the standard says it.
struct SchemaValidator {
    let root: JSONValue
    /// Whether objects that say nothing have no other members.
    var isStrict = false

    func accepts(_ value: JSONValue) -> Bool { accepts(value, root) }

    private func accepts(_ value: JSONValue, _ schema: JSONValue) -> Bool {
        guard case .object(let members) = schema else { return schema == .boolean(true) }
        return members.allSatisfy { accepts(value, keyword: $0.key.text, $0.value, schema) }
            && isClosedEnough(value, schema)
    }

    private func accepts(
        _ value: JSONValue, keyword: String, _ argument: JSONValue, _ schema: JSONValue
    ) -> Bool {
        switch keyword {
        case "type": return argument.elements.contains { isOf($0.text ?? "", value) }
        case "enum": return argument.elements.contains { equal($0, value) }
        case "const": return equal(argument, value)
        case "anyOf", "oneOf": return argument.elements.contains { accepts(value, $0) }
        case "allOf": return argument.elements.allSatisfy { accepts(value, $0) }
        case "$ref": return accepts(value, target(argument.text ?? ""))
        case "minLength": return value.length.map { $0 >= number(argument) } ?? true
        case "maxLength": return value.length.map { $0 <= number(argument) } ?? true
        case "minimum": return value.numeric.map { $0 >= number(argument) } ?? true
        case "maximum": return value.numeric.map { $0 <= number(argument) } ?? true
        case "exclusiveMinimum": return value.numeric.map { $0 > number(argument) } ?? true
        case "exclusiveMaximum": return value.numeric.map { $0 < number(argument) } ?? true
        case "pattern": return value.text.map { Self.matches(argument.text ?? "", $0) } ?? true
        default: return acceptsParts(value, keyword: keyword, argument, schema)
        }
    }

    private func acceptsParts(
        _ value: JSONValue, keyword: String, _ argument: JSONValue, _ schema: JSONValue
    ) -> Bool {
        switch (keyword, value) {
        case ("minItems", .array(let values)): return Double(values.count) >= number(argument)
        case ("maxItems", .array(let values)): return Double(values.count) <= number(argument)
        case ("prefixItems", .array(let values)):
            return zip(values, argument.elements).allSatisfy { accepts($0, $1) }
        case ("items", .array(let values)):
            let first = schema.member("prefixItems")?.elements.count ?? 0
            return values.dropFirst(first).allSatisfy { accepts($0, argument) }
        case ("required", .object(let members)):
            return argument.elements.allSatisfy { name in
                members.contains { JSONValue.string($0.key) == name }
            }
        case ("properties", .object(let members)):
            return members.allSatisfy { member in
                argument.member(member.key.text).map { accepts(member.value, $0) } ?? true
            }
        case ("additionalProperties", .object(let members)):
            return others(members, schema).allSatisfy { accepts($0.value, argument) }
        default: return true
        }
    }

    private func isClosedEnough(_ value: JSONValue, _ schema: JSONValue) -> Bool {
        guard isStrict, case .object(let members) = value,
            schema.member("additionalProperties") == nil, schema.member("properties") != nil
        else { return true }
        return others(members, schema).isEmpty
    }

    private func others(
        _ members: [JSONValue.Member], _ schema: JSONValue
    ) -> [JSONValue.Member] {
        members.filter { schema.member("properties")?.member($0.key.text) == nil }
    }

    private func target(_ reference: String) -> JSONValue {
        reference.dropFirst(2).split(separator: "/").reduce(root) { place, key in
            place.member(String(key)) ?? .boolean(false)
        }
    }

    private func number(_ value: JSONValue) -> Double { value.numeric ?? .nan }

    private func equal(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if let left = left.numeric, let right = right.numeric { return left == right }
        return left == right
    }

    private func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch value {
        case .null: type == "null"
        case .boolean: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .number(let number): type == "number" || type == "integer" && number == rint(number)
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    static func matches(_ pattern: String, _ text: String) -> Bool {
        guard let expression = try? NSRegularExpression(pattern: pattern) else { return false }
        let all = NSRange(text.startIndex..., in: text)
        return expression.firstMatch(in: text, range: all) != nil
    }
}

extension JSONValue {
    /// A value's member, even if it is null.
    func member(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.text == key }?.value
    }

    /// An array's elements; of another value itself.
    var elements: [JSONValue] {
        if case .array(let values) = self { values } else { [self] }
    }

    var numeric: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    var length: Double? { text.map { Double($0.unicodeScalars.count) } }

    /// A JSON text, read under no rules but JSON's own.
    static func read(_ text: some Sequence<UInt8>) throws -> JSONValue {
        let rules = JSONRules(byteCount: 1 << 20, depth: 256, valueCount: 1 << 20)
        return try JSONValue(json: Array(text), rules: rules)
    }
}
