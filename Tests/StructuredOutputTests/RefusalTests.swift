import OrderedJSON
import Testing
import Tokenizers

@testable import StructuredOutput

/// What is not followed is refused, and the path of the keyword is named.
struct RefusalTests {
    @Test(arguments: [
        (#"{"type": "object", "minProperties": 1}"#, "minProperties"),
        (#"{"properties": {"a": {"not": {}}}}"#, "properties.a.not"),
        (#"{"items": {"uniqueItems": true}}"#, "items.uniqueItems"),
        (#"{"anyOf": [{}, {"multipleOf": 2}]}"#, "anyOf[1].multipleOf"),
        (##"{"$defs": {"x": {"if": true}}, "$ref": "#/$defs/x"}"##, "$defs.x.if"),
        (#"{"properties": {"a b": {"pattern": "(?=a)"}}}"#, #"properties."a b".pattern"#),
        (#"{"type": "string", "pattern": "a\\b"}"#, "pattern"),
        (#"{"type": "string", "pattern": "(a)\\1"}"#, "pattern"),
        (#"{"type": "string", "pattern": "a$b"}"#, "pattern"),
        (#"{"type": "string", "pattern": "(a"}"#, "pattern"),
        (#"{"type": "string", "pattern": "[b-a]"}"#, "pattern"),
        (#"{"type": "string", "pattern": "a", "maxLength": 3}"#, "maxLength"),
        (#"{"type": "string", "format": "iri"}"#, "format"),
        (#"{"type": "number", "minimum": 0.5}"#, "minimum"),
        (#"{"type": "float"}"#, "type"), (#"{"type": null}"#, "type"),
        (#"{"required": ["a"], "additionalProperties": false}"#, "required"),
        (#"{"enum": []}"#, "enum"), (#"{"enum": ["a"], "pattern": "b"}"#, "pattern"),
        (#"{"$ref": "other.json"}"#, "$ref"), (##"{"$ref": "#/nothing"}"##, "$ref"),
        (#"{"minLengt": 3}"#, "minLengt"), (#"{"a": {"b": 1, "b": 2}}"#, "a.b"),
        (#"{"const": "\ud800"}"#, "const"), (#"{"const": 18446744073709551616}"#, "const"),
        (#"{"items": [{}]}"#, "items"), (#"[]"#, ""),
        (#"{"properties": {"a": 3}}"#, "properties.a"),
        (#"{"type": "array", "items": true, "minItems": 1000000}"#, ""),
        (#"{"type": "string", "minLength": -1}"#, "minLength"),
    ])
    func theKeywordIsNamed(_ schema: String, _ path: String) throws {
        let value = try JSONValue.read(schema.utf8)
        let error = #expect(throws: SchemaError.self) { try Grammar(schema: value) }
        #expect(error?.path == path)
        #expect(error?.message.isEmpty == false)
    }

    @Test func deepAndLargeSchemasAreRefused() throws {
        let deep =
            String(repeating: #"{"items": "#, count: 60) + "{}" + String(repeating: "}", count: 60)
        let wide = #"{"enum": [0"# + String(repeating: ", 0", count: SchemaLimits.values) + "]}"
        // 2^20 combinations of alternatives.
        let pair = #"{"anyOf": [{"minLength": 1}, {"minLength": 2}]}"#
        let many = #"{"allOf": ["# + Array(repeating: pair, count: 20).joined(separator: ",") + "]}"
        for schema in [deep, wide, many] {
            let value = try JSONValue.read(schema.utf8)
            #expect(throws: SchemaError.self) { try Grammar(schema: value) }
        }
    }

    /// Nothing follows these, so that no answer could have an end.
    @Test(arguments: [
        "false", #"{"type": "string", "minLength": 3, "maxLength": 2}"#,
        #"{"allOf": [{"type": "string"}, {"type": "null"}]}"#,
        ##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}"##,
        ##"{"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}"##,
        #"{"type": "integer", "minimum": 3, "exclusiveMaximum": 3}"#,
        #"{"type": "array", "items": false, "minItems": 1}"#,
    ])
    func whatNothingFollowsIsRefused(_ schema: String) throws {
        let grammar = try Grammar(schema: try JSONValue.read(schema.utf8))
        #expect(throws: SchemaError("", "no value can satisfy it")) {
            try TokenGrammar(grammar, Vocabularies[0])
        }
    }

    /// Where no token spells a byte by itself, texts with that byte are left out, and nothing leads
    /// to where they would be needed.
    @Test func bytesWithoutATokenAreLeftOut() throws {
        let vocabulary = TokenVocabulary(
            count: 5, bytes: ["\"", "a", "bc", "c", "c"].map { Array($0.utf8) })
        let grammar = try TokenGrammar(
            Grammar(schema: try JSONValue.read(#"{"enum": ["ab", "bc", "ca"]}"#.utf8)), vocabulary)
        var constraint = TokenConstraint(grammar)
        var allowed = [constraint.allowed(ends: []).ids]
        var taken: [Bool] = []
        for id in [0, 1, 4, 1, 0] {
            taken.append(constraint.advance(id))
            allowed.append(constraint.allowed(ends: [2]).ids)
        }
        #expect(taken == [true, false, true, true, true])
        #expect(allowed == [[0], [3, 4], [3, 4], [1], [0], [2]])
        let isFinished = constraint.isFinished()
        #expect(isFinished)
    }

    /// Each level of nesting is ambiguous; the work grows with the depth, not with its power of 2.
    @Test func ambiguityDoesNotMultiply() throws {
        let part = ##"{"type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}, "##
        let schema =
            ##"{"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": ["##
            + part + #""additionalProperties": {"type": "null"}}, "#
            + part + #""additionalProperties": {"type": "boolean"}}, {"const": 1}]}}}"#
        let grammar = try Grammar(schema: try JSONValue.read(schema.utf8))
        let pruned = try #require(grammar.pruned(available: .all))
        var machine = GrammarMachine(pruned)
        var place = machine.start
        let text =
            String(repeating: #"{"a":"#, count: 200) + "1" + String(repeating: "}", count: 200)
        for byte in text.utf8 { place = machine.step(place, byte: byte) }
        #expect(place != GrammarMachine.dead && machine.isComplete(place))
    }
}
