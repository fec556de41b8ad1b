import OrderedJSON

/// Turns schemas into nodes: follows references, tries alternatives apart, merges `allOf`.
struct SchemaResolver {
    private let root: JSONValue
    /// How much has been resolved.
    private var steps = 0

    /// Keywords that say nothing of a value.
    private static let annotations: Set<String> = [
        "title", "description", "default", "example", "examples", "deprecated", "readOnly",
        "writeOnly", "discriminator", "$schema", "$id", "$comment", "$defs", "definitions",
    ]

    init(root: JSONValue) { self.root = root }

    /// The alternatives of a value that follows all parts; none if there is no such value.
    mutating func nodes(of schema: Conjunction) throws(SchemaError) -> [SchemaNode] {
        var nodes = [SchemaNode(schema.path)]
        for part in schema.parts {
            let others = try self.nodes(of: part.schema, at: part.path, via: [])
            nodes = try merge(nodes, others)
        }
        return nodes
    }

    /// - Parameter references: those that led here: one that leads back to itself lets nothing
    ///   through on that way.
    private mutating func nodes(
        of schema: JSONValue, at path: String, via references: Set<String>
    ) throws(SchemaError) -> [SchemaNode] {
        steps += 1
        guard steps <= SchemaLimits.resolutions else {
            throw SchemaError(
                path, "needs more than \(SchemaLimits.resolutions) combinations; make it smaller")
        }
        guard case .object(let members) = schema else {
            guard case .boolean(let isOpen) = schema else {
                throw SchemaError(path, "must be a schema, which is an object, true or false")
            }
            return isOpen ? [SchemaNode(path)] : []
        }
        var node = SchemaNode(path)
        var parts: [[SchemaNode]] = []
        for member in members {
            let at = path.appending(member.key)
            switch member.key.text {
            case "$ref":
                parts.append(try referenced(member.value, at, via: references))
            case "anyOf", "oneOf":
                var alternatives: [SchemaNode] = []
                for (index, schema) in try Self.list(member.value, at).enumerated() {
                    alternatives += try nodes(of: schema, at: "\(at)[\(index)]", via: references)
                }
                parts.append(alternatives)
            case "allOf":
                for (index, schema) in try Self.list(member.value, at).enumerated() {
                    parts.append(try nodes(of: schema, at: "\(at)[\(index)]", via: references))
                }
            case let name where Self.annotations.contains(name) || name.hasPrefix("x-"): break
            default: try node.take(member.key.text, member.value, at)
            }
        }
        var nodes = [node]
        for part in parts { nodes = try merge(nodes, part) }
        return nodes
    }

    private mutating func merge(
        _ left: [SchemaNode], _ right: [SchemaNode]
    ) throws(SchemaError) -> [SchemaNode] {
        var merged: [SchemaNode] = []
        for first in left {
            for second in right {
                steps += 1
                guard steps <= SchemaLimits.resolutions else {
                    throw SchemaError(
                        first.path,
                        "needs more than \(SchemaLimits.resolutions) combinations; make it smaller")
                }
                if let node = try first.merged(with: second) { merged.append(node) }
            }
        }
        return merged
    }

    private mutating func referenced(
        _ value: JSONValue, _ path: String, via references: Set<String>
    ) throws(SchemaError) -> [SchemaNode] {
        guard let reference = value.text else { throw SchemaError(path, "must be a text") }
        guard !references.contains(reference) else { return [] }
        guard let (schema, target) = target(of: reference) else {
            throw SchemaError(
                path, "must lead to a part of this schema, as \"#/$defs/name\" does")
        }
        return try nodes(of: schema, at: target, via: references.union([reference]))
    }

    /// What a JSON pointer (RFC 6901) in a fragment leads to, and its path.
    private func target(of reference: String) -> (schema: JSONValue, path: String)? {
        guard reference.hasPrefix("#"),
            let pointer = Self.withoutPercents(reference.utf8.dropFirst())
        else { return nil }
        if pointer.isEmpty { return (root, "") }
        guard pointer.hasPrefix("/") else { return nil }
        var place = root
        var path = ""
        for part in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let key = part.replacing("~1", with: "/").replacing("~0", with: "~")
            switch place {
            case .object(let members):
                guard let member = members.first(where: { $0.key.utf8.elementsEqual(key.utf8) })
                else { return nil }
                place = member.value
                path = path.appending(member.key)
            case .array(let values):
                guard let index = Int(key), values.indices.contains(index) else { return nil }
                place = values[index]
                path += "[\(index)]"
            default: return nil
            }
        }
        return (place, path)
    }

    private static func withoutPercents(_ text: Substring.UTF8View.SubSequence) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    static func list(_ value: JSONValue, _ path: String) throws(SchemaError) -> [JSONValue] {
        guard case .array(let values) = value, !values.isEmpty else {
            throw SchemaError(path, "must be an array of at least one")
        }
        return values
    }
}

extension String {
    /// The path of a member.
    func appending(_ key: JSONString) -> String {
        let isPlain = key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ".") }
        let name = isPlain && !key.utf8.isEmpty && key.utf8.count <= 64 ? key.text : key.excerpt
        return isEmpty ? name : "\(self).\(name)"
    }
}
