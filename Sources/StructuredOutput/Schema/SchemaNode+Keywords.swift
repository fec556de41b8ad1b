import OrderedJSON

extension SchemaNode {
    /// Notes what one keyword says.
    ///
    /// - Throws: for a keyword that is not supported, and for a value that it cannot have.
    mutating func take(
        _ keyword: String, _ value: JSONValue, _ path: String
    ) throws(SchemaError) {
        paths[keyword] = path
        switch keyword {
        case "type": kinds = try Self.kinds(value, path)
        case "enum": values = Self.common(values, try SchemaResolver.list(value, path))
        case "const": values = Self.common(values, [value])
        case "properties", "required", "additionalProperties":
            try takeMember(keyword, value, path)
        case "items", "prefixItems", "minItems", "maxItems": try takeItem(keyword, value, path)
        case "minLength": lengthLeast = try Self.count(value, path)
        case "maxLength": lengthMost = try Self.count(value, path)
        case "pattern": pattern = Text(text: try Self.text(value, path), path: path)
        case "format": format = Text(text: try Self.text(value, path), path: path)
        case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum":
            try takeBound(keyword, value, path)
        case "uniqueItems" where value == .boolean(false): break
        default: throw .unsupported(path)
        }
    }

    private mutating func takeMember(
        _ keyword: String, _ value: JSONValue, _ path: String
    ) throws(SchemaError) {
        switch keyword {
        case "properties":
            guard case .object(let members) = value else {
                throw SchemaError(path, "must be an object of schemas")
            }
            properties = members.map {
                ($0.key, Conjunction($0.value, path.appending($0.key)))
            }
        case "required":
            guard case .array(let names) = value else {
                throw SchemaError(path, "must be an array of names")
            }
            for name in names {
                guard case .string(let name) = name else {
                    throw SchemaError(path, "must be an array of names")
                }
                if !required.contains(name) { required.append(name) }
            }
        default: additional = Conjunction(value, path)
        }
    }

    private mutating func takeItem(
        _ keyword: String, _ value: JSONValue, _ path: String
    ) throws(SchemaError) {
        switch keyword {
        case "items":
            if case .array = value { throw .unsupported(path, "an array; write prefixItems: it") }
            items = Conjunction(value, path)
        case "prefixItems":
            prefix = try SchemaResolver.list(value, path).enumerated().map {
                Conjunction($1, "\(path)[\($0)]")
            }
        case "minItems": itemsLeast = try Self.count(value, path)
        default: itemsMost = try Self.count(value, path)
        }
    }

    private mutating func takeBound(
        _ keyword: String, _ value: JSONValue, _ path: String
    ) throws(SchemaError) {
        switch value {
        case .integer, .number: break
        default: throw SchemaError(path, "must be a number")
        }
        let bound = Bound(value: value, isExclusive: keyword.hasPrefix("exclusive"), path: path)
        if keyword.lowercased().hasSuffix("minimum") {
            lower.append(bound)
        } else {
            upper.append(bound)
        }
    }

    private static func kinds(
        _ value: JSONValue, _ path: String
    ) throws(SchemaError) -> Set<ValueKind> {
        let names: [JSONValue]
        if case .array(let list) = value { names = list } else { names = [value] }
        var kinds: Set<ValueKind> = []
        for name in names {
            guard let kind = name.text.flatMap(ValueKind.init(rawValue:)) else {
                let all = ValueKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw SchemaError(path, "must be one of \(all), or an array of these")
            }
            kinds.insert(kind)
        }
        guard !kinds.isEmpty else { throw SchemaError(path, "must name at least one type") }
        return kinds
    }

    private static func common(_ left: [JSONValue]?, _ right: [JSONValue]) -> [JSONValue] {
        left.map { $0.filter(right.contains) } ?? right
    }

    private static func count(_ value: JSONValue, _ path: String) throws(SchemaError) -> Int {
        switch value {
        case .integer(let count) where count >= 0: return count
        case .number(let count) where count >= 0 && count < 1e9 && count.rounded() == count:
            return Int(count)
        default: throw SchemaError(path, "must be a whole number from 0")
        }
    }

    private static func text(_ value: JSONValue, _ path: String) throws(SchemaError) -> String {
        guard let text = value.text else { throw SchemaError(path, "must be a text") }
        return text
    }
}
