import OrderedJSON
import SystemModel

@testable import StructuredOutput

/// Random schemas, and random values that follow them.
struct RandomSchema {
    var generator: SeededGenerator

    private static let names = ["a", "ab", "b\"c", "é", "", "long name", "items"]
    private static let patterns = [
        "^[a-c]{1,3}$", "x+y?", "^(?:foo|bar\\d)$", "^\\w+ \\S$", "^$|ü",
    ]

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }

    private mutating func chance(_ share: Double) -> Bool { generator.uniform() < share }

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(
            members.map { .init(key: JSONString(stringLiteral: $0.0), value: $0.1) })
    }

    private static func text(_ text: String) -> JSONValue {
        .string(JSONString(stringLiteral: text))
    }

    /// A schema with `$defs/node`, which may refer to itself.
    mutating func schema() -> JSONValue {
        guard case .object(let members) = part(3) else { return .boolean(true) }
        let node = Self.object([
            ("type", Self.text("object")),
            (
                "properties",
                Self.object([
                    ("v", part(1)), ("n", Self.object([("$ref", Self.text("#/$defs/node"))])),
                ])
            ),
            ("required", .array([Self.text("v")])), ("additionalProperties", .boolean(false)),
        ])
        return .object(members + [.init(key: "$defs", value: Self.object([("node", node)]))])
    }

    private mutating func part(_ depth: Int) -> JSONValue {
        switch number(0...(depth > 0 ? 11 : 5)) {
        case 0: return Self.object([("type", Self.text(["null", "boolean"][number(0...1)]))])
        case 1: return bounded("integer")
        case 2: return bounded("number")
        case 3: return string()
        case 4: return choices()
        case 5: return Self.object([("type", .array([Self.text("string"), Self.text("null")]))])
        case 6: return Self.object([("anyOf", .array((0..<2).map { _ in part(depth - 1) }))])
        case 7: return array(depth)
        case 8: return Self.object([("$ref", Self.text("#/$defs/node"))])
        case 9:
            return Self.object([("allOf", .array([object(depth), object(depth)]))])
        default: return object(depth)
        }
    }

    private mutating func bounded(_ type: String) -> JSONValue {
        var members = [("type", Self.text(type))]
        let low = number(-30...20)
        if chance(0.5) {
            members.append((chance(0.3) ? "exclusiveMinimum" : "minimum", .integer(low)))
        }
        if chance(0.5) {
            members.append(
                (chance(0.3) ? "exclusiveMaximum" : "maximum", .integer(low + number(2...300))))
        }
        return Self.object(members)
    }

    private mutating func string() -> JSONValue {
        if chance(0.3) {
            return Self.object([
                ("type", Self.text("string")), ("pattern", Self.text(Self.patterns[number(0...4)])),
            ])
        }
        var members = [("type", Self.text("string"))]
        if chance(0.4) { members.append(("minLength", .integer(number(0...3)))) }
        if chance(0.5) { members.append(("maxLength", .integer(number(3...9)))) }
        return Self.object(members)
    }

    private mutating func choices() -> JSONValue {
        let all: [JSONValue] = [
            .null, .boolean(true), .integer(12), .number(0.5), Self.text("a\nb"), Self.text("ß"),
            .array([.integer(1), .null]), Self.object([("k", .array([]))]),
        ]
        if chance(0.3) { return Self.object([("const", all[number(0...7)])]) }
        return Self.object([("enum", .array((0..<3).map { _ in all[number(0...7)] }))])
    }

    private mutating func array(_ depth: Int) -> JSONValue {
        var members = [("type", Self.text("array"))]
        if chance(0.3) {
            members.append(("prefixItems", .array((0..<2).map { _ in part(depth - 1) })))
        }
        members.append(("items", chance(0.1) ? .boolean(false) : part(depth - 1)))
        if chance(0.4) { members.append(("minItems", .integer(number(0...2)))) }
        if chance(0.6) { members.append(("maxItems", .integer(number(2...4)))) }
        return Self.object(members)
    }

    private mutating func object(_ depth: Int) -> JSONValue {
        let names = Self.names.shuffled(using: &generator).prefix(number(0...3))
        var members = [("type", Self.text("object"))]
        members.append(("properties", Self.object(names.map { ($0, part(depth - 1)) })))
        let required = names.filter { _ in chance(0.5) }
        if !required.isEmpty { members.append(("required", .array(required.map(Self.text)))) }
        switch number(0...3) {
        case 0: members.append(("additionalProperties", .boolean(false)))
        case 1: members.append(("additionalProperties", part(0)))
        default: break
        }
        return Self.object(members)
    }
}

/// Random JSON values of small size, some of which follow a given schema.
struct RandomValue {
    var random: RandomSchema
    let root: JSONValue

    /// A value that probably follows the schema; the oracle decides.
    mutating func value(_ schema: JSONValue, _ depth: Int = 0) -> JSONValue {
        guard depth < 12 else { return .null }
        if let reference = schema.member("$ref")?.text {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            return value(root.member("$defs")?.member(name) ?? .null, depth + 1)
        }
        if let parts = schema.member("anyOf") {
            return value(parts.elements[random.number(0...parts.elements.count - 1)], depth + 1)
        }
        if let parts = schema.member("allOf")?.elements {
            return joined(parts, depth)
        }
        if let constant = schema.member("const") { return constant }
        if let values = schema.member("enum")?.elements {
            return values[random.number(0...values.count - 1)]
        }
        let types = schema.member("type")?.elements ?? [.string("string")]
        switch types[random.number(0...types.count - 1)].text {
        case "null": return .null
        case "boolean": return .boolean(random.number(0...1) == 0)
        case "integer": return .integer(bounded(schema))
        case "number":
            let whole = bounded(schema)
            return random.number(0...2) == 0
                ? .integer(whole) : .number(Double(whole) + Double(random.number(1...9)) / 16)
        case "string": return .string(JSONString(stringLiteral: text(schema)))
        case "array": return array(schema, depth)
        default: return object(schema, depth)
        }
    }

    private mutating func bounded(_ schema: JSONValue) -> Int {
        let low = schema.member("minimum") ?? schema.member("exclusiveMinimum")
        let high = schema.member("maximum") ?? schema.member("exclusiveMaximum")
        let least = low?.numeric.map { Int($0) } ?? high?.numeric.map { Int($0) - 50 } ?? -1000
        let most = high?.numeric.map { Int($0) } ?? least + 2000
        return random.number(least...max(least, most))
    }

    private mutating func text(_ schema: JSONValue) -> String {
        if let pattern = schema.member("pattern")?.text {
            return ["abc", "c", "x", "axxyb", "foo", "bar7", "ab €", "", "ü"]
                .filter { SchemaValidator.matches(pattern, $0) }
                .randomElement(using: &random.generator) ?? ""
        }
        let least = schema.member("minLength")?.numeric.map { Int($0) } ?? 0
        let most = schema.member("maxLength")?.numeric.map { Int($0) } ?? least + 12
        let characters = ["a", "Z", " ", "\"", "\\", "/", "\n", "\u{1}", "é", "文", "👩", "{", ","]
        return (0..<random.number(least...most)).map { _ in
            characters[random.number(0...characters.count - 1)]
        }.joined()
    }

    private mutating func array(_ schema: JSONValue, _ depth: Int) -> JSONValue {
        let least = schema.member("minItems")?.numeric.map { Int($0) } ?? 0
        let most = schema.member("maxItems")?.numeric.map { Int($0) } ?? least + 3
        let prefix = schema.member("prefixItems")?.elements ?? []
        return .array(
            (0..<random.number(least...max(least, most))).map { index in
                value(
                    index < prefix.count ? prefix[index] : schema.member("items") ?? .null,
                    depth + 1)
            })
    }

    private mutating func object(_ schema: JSONValue, _ depth: Int) -> JSONValue {
        let required = schema.member("required")?.elements ?? []
        var members: [JSONValue.Member] = []
        if case .object(let properties)? = schema.member("properties") {
            for property in properties
            where required.contains(.string(property.key))
                || depth < 6 && random.number(0...1) == 0
            {
                members.append(
                    .init(key: property.key, value: value(property.value, depth + 1)))
            }
        }
        if random.number(0...1) == 0, schema.member("additionalProperties") != .boolean(false) {
            let other = schema.member("additionalProperties") ?? .boolean(true)
            members.append(.init(key: "é ab\t", value: value(other, depth + 1)))
        }
        return .object(members)
    }

    /// The members of values of all parts.
    private mutating func joined(_ parts: [JSONValue], _ depth: Int) -> JSONValue {
        var members: [JSONValue.Member] = []
        for part in parts {
            guard case .object(let more) = value(part, depth + 1) else { continue }
            for member in more where !members.contains(where: { $0.key == member.key }) {
                members.append(member)
            }
        }
        // In the order of the properties, as grammars want it.
        let order = parts.flatMap { part -> [JSONString] in
            guard case .object(let properties)? = part.member("properties") else { return [] }
            return properties.map(\.key)
        }
        let places = members.map { order.firstIndex(of: $0.key) ?? order.count }
        return .object(
            zip(places, members).sorted { $0.0 < $1.0 }.map(\.1))
    }
}
