import OrderedJSON

/// The kinds of values that a schema tells apart.
enum ValueKind: String, CaseIterable {
    case null, boolean, integer, number, string, array, object
}

/// What all of some schemas say together of one value: a property may be in several parts of an
/// `allOf`.
struct Conjunction {
    struct Part {
        let schema: JSONValue
        let path: String
    }

    var parts: [Part]

    init(_ schema: JSONValue, _ path: String) { parts = [Part(schema: schema, path: path)] }

    /// Of equal parts one is kept, so that a schema that refers to itself has an end.
    static func + (left: Conjunction, right: Conjunction) -> Conjunction {
        var sum = left
        for part in right.parts where !left.parts.contains(where: { $0.schema == part.schema }) {
            sum.parts.append(part)
        }
        return sum
    }

    /// Where it stands, for messages.
    var path: String { parts[0].path }

    /// Says nothing.
    var isOpen: Bool {
        parts.allSatisfy { $0.schema == .boolean(true) || $0.schema == .object([]) }
    }

    /// Lets nothing through.
    var isClosed: Bool { parts.contains { $0.schema == .boolean(false) } }

    /// Equal for equal schemas: references are absolute, so a schema means the same everywhere.
    var key: [UInt8] {
        var key: [UInt8] = []
        for part in parts {
            JSONText.write(part.schema, to: &key)
            key.append(0)
        }
        return key
    }
}

/// What a schema says of a value after references, alternatives and `allOf` are resolved.
struct SchemaNode {
    /// One end of a range of numbers.
    struct Bound {
        let value: JSONValue
        let isExclusive: Bool
        let path: String
    }

    /// A text with its keyword's path.
    struct Text: Equatable {
        let text: String
        let path: String
    }

    let path: String
    /// Nil: not said.
    var kinds: Set<ValueKind>?
    /// The values of `enum` and `const`; nil: not said.
    var values: [JSONValue]?
    var properties: [(key: JSONString, schema: Conjunction)] = []
    var required: [JSONString] = []
    /// Nil: not said.
    var additional: Conjunction?
    var prefix: [Conjunction] = []
    var items: Conjunction?
    var itemsLeast = 0
    var itemsMost: Int?
    var lengthLeast = 0
    var lengthMost: Int?
    var pattern: Text?
    var format: Text?
    var lower: [Bound] = []
    var upper: [Bound] = []
    /// Where each keyword stands that says something.
    var paths: [String: String] = [:]

    init(_ path: String) { self.path = path }

    func property(_ key: JSONString) -> Conjunction? {
        properties.first { $0.key == key }?.schema
    }

    /// The kinds that it may be of: those said; else those that its keywords are about; else all.
    var possibleKinds: Set<ValueKind> {
        if let kinds { return kinds }
        var kinds: Set<ValueKind> = []
        for keyword in paths.keys {
            switch keyword {
            case "properties", "required", "additionalProperties": kinds.insert(.object)
            case "items", "prefixItems", "minItems", "maxItems": kinds.insert(.array)
            case "minLength", "maxLength", "pattern", "format": kinds.insert(.string)
            case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
                kinds.insert(.number)
            default: break
            }
        }
        return kinds.isEmpty ? Set(ValueKind.allCases) : kinds
    }
}

extension SchemaNode {
    /// What both say together; nil if no value can be both.
    func merged(with other: SchemaNode) throws(SchemaError) -> SchemaNode? {
        var node = self
        node.paths.merge(other.paths) { mine, _ in mine }
        if let kinds = other.kinds {
            node.kinds = self.kinds.map { Self.common($0, kinds) } ?? kinds
            if node.kinds?.isEmpty == true { return nil }
        }
        if let values = other.values {
            node.values = self.values.map { $0.filter(values.contains) } ?? values
            if node.values?.isEmpty == true { return nil }
        }
        node.mergeMembers(self, other)
        try node.mergeItems(self, other)
        node.lengthLeast = max(lengthLeast, other.lengthLeast)
        node.lengthMost = Self.least(lengthMost, other.lengthMost)
        node.lower = lower + other.lower
        node.upper = upper + other.upper
        node.pattern = try Self.one(pattern, other.pattern)
        node.format = try Self.one(format, other.format)
        return node
    }

    /// A whole number is a number.
    private static func common(
        _ left: Set<ValueKind>, _ right: Set<ValueKind>
    ) -> Set<ValueKind> {
        var common = left.intersection(right)
        let both = left.union(right)
        if both.contains(.integer), left.contains(.number) || right.contains(.number),
            !left.isDisjoint(with: [.integer, .number]),
            !right.isDisjoint(with: [.integer, .number]), !common.contains(.number)
        {
            common.insert(.integer)
        }
        return common
    }

    /// Each property follows what either says of its name.
    private mutating func mergeMembers(_ left: SchemaNode, _ right: SchemaNode) {
        properties = left.properties.map { key, schema in
            let other = right.property(key) ?? right.additional
            return (key, other.map { schema + $0 } ?? schema)
        }
        for (key, schema) in right.properties where left.property(key) == nil {
            properties.append((key, left.additional.map { schema + $0 } ?? schema))
        }
        required += right.required.filter { !left.required.contains($0) }
        if let other = right.additional {
            additional = left.additional.map { $0 + other } ?? other
        }
    }

    private mutating func mergeItems(
        _ left: SchemaNode, _ right: SchemaNode
    ) throws(SchemaError) {
        itemsLeast = max(left.itemsLeast, right.itemsLeast)
        itemsMost = Self.least(left.itemsMost, right.itemsMost)
        let count = max(left.prefix.count, right.prefix.count)
        prefix = (0..<count).map { index in
            let mine = index < left.prefix.count ? left.prefix[index] : left.items
            let other = index < right.prefix.count ? right.prefix[index] : right.items
            guard let mine, let other else {
                return mine ?? other ?? Conjunction(.boolean(true), path)
            }
            return mine + other
        }
        if let other = right.items { items = left.items.map { $0 + other } ?? other }
    }

    private static func least(_ left: Int?, _ right: Int?) -> Int? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    private static func one(_ left: Text?, _ right: Text?) throws(SchemaError) -> Text? {
        guard let left, let right, left.text != right.text else { return left ?? right }
        throw .unsupported(right.path, "a second pattern or format for one text")
    }
}
