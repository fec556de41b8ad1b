import OrderedJSON
import Testing

@testable import StructuredOutput

/// All short texts over small alphabets: the grammar takes exactly those that are right.
struct ExhaustiveTests {
    /// A schema, the bytes that texts are made of, and how many.
    struct Case: Sendable, CustomTestStringConvertible {
        let schema: String
        let alphabet: String
        let length: Int

        var testDescription: String { schema }
    }

    static let cases = [
        Case(schema: #"{"type": "integer"}"#, alphabet: "-0129", length: 5),
        Case(
            schema: #"{"type": "integer", "minimum": -12, "maximum": 105}"#, alphabet: "-0125",
            length: 5),
        Case(
            schema: #"{"type": "integer", "exclusiveMinimum": 9, "exclusiveMaximum": 2000}"#,
            alphabet: "01289", length: 5),
        Case(schema: #"{"type": "number"}"#, alphabet: "-01.e", length: 5),
        Case(
            schema: #"{"type": "number", "minimum": -1, "exclusiveMaximum": 2}"#,
            alphabet: "-012.", length: 6),
        Case(
            schema: #"{"type": "number", "exclusiveMinimum": 1, "maximum": 10}"#,
            alphabet: "019.", length: 6),
        Case(
            schema: #"{"type": "array", "items": {"enum": [1, "a"]}, "maxItems": 2}"#,
            alphabet: "[],1a\"", length: 6),
        Case(
            schema: #"{"type": "array", "prefixItems": [{"const": 1}], "minItems": 1}"#,
            alphabet: "[],1{}", length: 6),
        Case(
            schema: #"{"type": "object", "properties": {"a": {"type": ["integer", "null"]}, "": "#
                + #"{"const": 1}}, "required": ["a"], "additionalProperties": false}"#,
            alphabet: #"{}":a1"#, length: 7),
        Case(
            schema: #"{"type": "object", "properties": {"a": false, "aa": {"const": 1}}, "#
                + #""additionalProperties": {"const": 2}}"#, alphabet: #"{}":a2"#, length: 7),
        Case(
            schema: ##"{"$ref": "#/$defs/t", "$defs": {"t": {"anyOf": [{"const": 1}, "##
                + ##"{"type": "array", "items": {"$ref": "#/$defs/t"}, "minItems": 1}"##
                + ##"]}}}"##, alphabet: "[],1", length: 7),
        Case(schema: #"{"type": "string", "maxLength": 2}"#, alphabet: #""a\nu0"#, length: 6),
        Case(schema: "true", alphabet: #"[{"1:,}]"#, length: 5),
        Case(
            schema: #"{"allOf": [{"type": "number", "minimum": 3}, {"type": "integer"}, "#
                + #"{"maximum": 11}]}"#, alphabet: "0123.", length: 4),
    ]

    /// Blanks are left out, since grammars have their own rules for them, and so are other orders
    /// of members than the schema's and whole numbers with fractions, and zero with a sign.
    @Test(arguments: cases)
    func theGrammarTakesWhatIsRight(_ example: Case) throws {
        let schema = try JSONValue.read(example.schema.utf8)
        let grammar = try #require(try Grammar(schema: schema).pruned(available: .all))
        var machine = GrammarMachine(grammar)
        let validator = SchemaValidator(root: schema)
        let isWhole = example.schema.contains("integer")
        let isBounded = example.schema.contains("imum")
        let alphabet = Array(example.alphabet.utf8)
        var open: [(text: [UInt8], place: Int)] = [([], machine.start)]
        var taken = 0
        while let (text, place) = open.popLast() {
            let isTaken = place != GrammarMachine.dead && machine.isComplete(place)
            var isRight = false
            if let value = try? JSONValue.read(text),
                !(isWhole && text.contains(UInt8(ascii: "."))),
                !((isWhole || isBounded) && value.numeric == 0 && text[0] == UInt8(ascii: "-"))
            {
                isRight = validator.accepts(value) && !Self.isOutOfOrder(value)
            }
            // Not #expect, which takes its time, millions of times.
            if isTaken != isRight { Issue.record("\(String(decoding: text, as: UTF8.self))") }
            taken += isTaken ? 1 : 0
            guard text.count < example.length else { continue }
            for byte in alphabet {
                let next = place == GrammarMachine.dead ? place : machine.step(place, byte: byte)
                open.append((text + [byte], next))
            }
        }
        #expect(taken > 0)
    }

    /// The only object with two members whose order matters has "a" before "".
    private static func isOutOfOrder(_ value: JSONValue) -> Bool {
        guard case .object(let members) = value, members.count > 1 else { return false }
        return members[0].key.utf8.isEmpty || members[0].key == members[1].key
    }

    /// Patterns against another implementation of regular expressions.
    @Test(arguments: [
        "ab", "^ab", "ab$", "^ab$", "^a|b$", "^(?:ab|ba)*$", "^a{2}b?$", "^a{1,3}$", "^a{2,}$",
        "^[^a]+$", "^[a-b]c$", "^.$", "^(a+b)+$", "^a*?b$", "^$", "^\\w\\d$", "^\\D\\.$",
        "^(?<name>a|bc)[.]$", "^\\x61\\u0062$", "a.b", "^(a|b)*a(a|b)$",
    ])
    func patternsMatchAsElsewhere(_ pattern: String) throws {
        let schema = JSONValue.object([
            .init(key: "type", value: .string("string")),
            .init(key: "pattern", value: .string(JSONString(stringLiteral: pattern))),
        ])
        let grammar = try #require(try Grammar(schema: schema).pruned(available: .all))
        var machine = GrammarMachine(grammar)
        var texts = [""]
        for _ in 0..<4 {
            texts += texts.flatMap { text in ["a", "b", "c", "1", "."].map { text + $0 } }
        }
        for text in Set(texts) {
            var place = machine.start
            for byte in "\"\(text)\"".utf8 where place != GrammarMachine.dead {
                place = machine.step(place, byte: byte)
            }
            let isTaken = place != GrammarMachine.dead && machine.isComplete(place)
            if isTaken != SchemaValidator.matches(pattern, text) { Issue.record("\(text)") }
        }
    }
}
