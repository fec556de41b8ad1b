package import OrderedJSON

extension Grammar {
    /// The grammar of the JSON texts that a schema takes (JSON Schema 2020-12, a subset).
    ///
    /// Members come in the order of `properties`, those that it does not name behind them. Between
    /// tokens there may be one blank, or a new line and some blanks. `oneOf` is read as `anyOf`. A
    /// schema without `type` takes the kinds of values that its keywords are about. A key that
    /// `additionalProperties` lets in may come twice. Whole numbers fit 64 bits and have neither
    /// fraction nor exponent; where nothing is said of a value, it nests
    /// ``SchemaLimits/openDepth`` deep.
    ///
    /// - Parameters:
    ///   - schema: read under rules that refuse nothing: this does.
    ///   - isStrict: where a schema does not say, objects have no members but those in
    ///     `properties`.
    /// - Throws: `SchemaError` naming the keyword that is wrong or not supported.
    package init(schema: JSONValue, isStrict: Bool = false) throws(SchemaError) {
        try SchemaCheck.check(schema)
        var compiler = SchemaCompiler(schema, isStrict: isStrict)
        self = try compiler.grammar()
    }

    /// The grammar of JSON objects.
    package static func anyObject() throws(SchemaError) -> Grammar {
        try Grammar(schema: .object([.init(key: "type", value: .string("object"))]))
    }
}

/// What a schema must not have, whatever it means.
enum SchemaCheck {
    static func check(_ schema: JSONValue) throws(SchemaError) {
        var left = SchemaLimits.values
        try check(schema, "", depth: 0, &left)
    }

    private static func check(
        _ value: JSONValue, _ path: String, depth: Int, _ left: inout Int
    ) throws(SchemaError) {
        left -= 1
        guard left >= 0 else {
            throw SchemaError("", "has more than \(SchemaLimits.values) values")
        }
        guard depth <= SchemaLimits.depth else {
            throw SchemaError(path, "nests deeper than \(SchemaLimits.depth) levels")
        }
        switch value {
        case .null, .boolean, .integer: break
        case .number(let number):
            guard abs(number) < 0x1p63 || number.rounded() != number else {
                throw SchemaError(path, "a whole number does not fit 64 bits")
            }
        case .string(let text): try check(text, path)
        case .array(let values):
            for (index, value) in values.enumerated() {
                try check(value, "\(path)[\(index)]", depth: depth + 1, &left)
            }
        case .object(let members):
            var keys: Set<JSONString> = []
            for member in members {
                let at = path.appending(member.key)
                try check(member.key, at)
                guard keys.insert(member.key).inserted else {
                    throw SchemaError(at, "the key appears twice")
                }
                try check(member.value, at, depth: depth + 1, &left)
            }
        }
    }

    /// A reader makes U+FFFD of half a surrogate pair, and that is no text to force.
    private static func check(_ text: JSONString, _ path: String) throws(SchemaError) {
        guard !text.text.unicodeScalars.contains("\u{FFFD}") else {
            throw SchemaError(path, "has half of a surrogate pair, or U+FFFD in its place")
        }
    }
}
