/// One JSON value of a small file such as config.json, or of a safetensors header.
///
/// Whole numbers and others are kept apart, because a size must not pass through a Double.
package enum JSONValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The member of that name; nil where there is none, where it is null, or in a non-object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self, let value = members[key], value != .null else {
            return nil
        }
        return value
    }

    /// The text, or nil for another kind of value.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// A short text for error messages.
    package var summary: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value.prefix(40))\""
        case .array(let values): "[\(values.count) values]"
        case .object(let members): "{\(members.count) members}"
        }
    }
}

/// What a JSON file beside a model may ask for.
package enum JSONLimits {
    /// config.json, its siblings and a shard index; the largest known, DeepSeek-V3's, has 9 MB.
    package static let fileBytes = 256 << 20
    /// Published files nest 6 deep; the parser is recursive, so this bounds its stack.
    package static let depth = 64
}
