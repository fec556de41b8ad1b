import OrderedJSON
import SystemModel
import Testing
import Tokenizers

@testable import StructuredOutput

/// Random schemas: what a grammar lets through is right, and what is right is let through.
struct SchemaWalkTests {
    private static func grammar(
        _ seed: UInt64
    ) throws -> (schema: JSONValue, isStrict: Bool, grammar: TokenGrammar)? {
        var random = RandomSchema(generator: SeededGenerator(seed: seed))
        let schema = random.schema()
        // In `allOf` the oracle would close each part, the grammar closes all of them together.
        let isStrict = seed % 3 == 0 && !text(schema).contains("allOf")
        do {
            let grammar = try Grammar(schema: schema, isStrict: isStrict)
            return (schema, isStrict, try TokenGrammar(grammar, Vocabularies[seed]))
        } catch {
            // What nothing follows, and what merging in `allOf` may lead to.
            let isExpected = error.message.contains("no value") || error.path.contains("allOf")
            try #require(isExpected, "seed \(seed): \(error)")
            return nil
        }
    }

    private static func text(_ value: JSONValue) -> String {
        var bytes: [UInt8] = []
        JSONText.write(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func message(
        _ seed: UInt64, _ text: [UInt8], _ schema: JSONValue
    ) -> Comment {
        "seed \(seed): \(String(decoding: text, as: UTF8.self)) for \(Self.text(schema))"
    }

    /// Tokens drawn uniformly from what is allowed make JSON that the oracle accepts.
    @Test(arguments: 0..<8)
    func whatIsLetThroughIsRight(_ round: UInt64) throws {
        var ended = 0
        for seed in (round * 50)..<(round * 50 + 50) {
            guard let (schema, isStrict, grammar) = try Self.grammar(seed) else { continue }
            let validator = SchemaValidator(root: schema, isStrict: isStrict)
            for turn in 0..<6 {
                var generator = SeededGenerator(seed: seed * 100 + UInt64(turn))
                var walk = RandomWalk(grammar, Vocabularies[seed])
                for step in 0..<300 where !walk.ended {
                    try walk.step(isClosing: step > turn * 12, using: &generator)
                }
                guard walk.ended else { continue }
                ended += 1
                let isRight = validator.accepts(try JSONValue.read(walk.bytes))
                #expect(isRight, Self.message(seed, walk.bytes, schema))
            }
        }
        #expect(ended > 200)
    }

    /// Values that the oracle accepts, spelled with or without blanks and cut into tokens at
    /// random, are allowed token by token.
    @Test(arguments: 0..<8)
    func whatIsRightIsLetThrough(_ round: UInt64) throws {
        var count = 0
        for seed in (round * 50)..<(round * 50 + 50) {
            guard let (schema, isStrict, grammar) = try Self.grammar(seed) else { continue }
            let validator = SchemaValidator(root: schema, isStrict: isStrict)
            var values = RandomValue(
                random: RandomSchema(generator: SeededGenerator(seed: seed &+ 7)), root: schema)
            for _ in 0..<12 {
                let value = values.value(schema)
                guard validator.accepts(value) else { continue }
                let bytes = spelled(value, indent: 0, values.random.number(0...2))
                let ids = Vocabularies[seed].segmentation(
                    bytes, using: &values.random.generator)
                let isTaken = Self.isLetThrough(ids, by: grammar)
                #expect(isTaken, Self.message(seed, bytes, schema))
                count += 1
            }
        }
        #expect(count > 150)
    }

    private static func isLetThrough(_ ids: [Int], by grammar: TokenGrammar) -> Bool {
        var constraint = TokenConstraint(grammar)
        for id in ids {
            let isAllowed = constraint.allowed(ends: []).contains(id)
            guard isAllowed, constraint.advance(id) else { return false }
        }
        return constraint.allowed(ends: [Vocabularies.end]).contains(Vocabularies.end)
    }

    /// - Parameter style: 0 without blanks, 1 with one behind commas and colons, 2 in lines.
    private func spelled(_ value: JSONValue, indent: Int, _ style: Int) -> [UInt8] {
        let line = style == 2 ? "\n" + String(repeating: " ", count: 2 * indent + 2) : ""
        let last = style == 2 ? "\n" + String(repeating: " ", count: 2 * indent) : ""
        let comma = style == 1 ? ", " : ","
        switch value {
        case .array(let values) where !values.isEmpty:
            let parts = values.map { Array(line.utf8) + spelled($0, indent: indent + 1, style) }
            return Array("[".utf8) + parts.joined(separator: comma.utf8) + Array("\(last)]".utf8)
        case .object(let members) where !members.isEmpty:
            let parts = members.map {
                Array(line.utf8) + JSONText.scalar(.string($0.key))
                    + Array((style == 0 ? ":" : ": ").utf8)
                    + spelled($0.value, indent: indent + 1, style)
            }
            return Array("{".utf8) + parts.joined(separator: comma.utf8) + Array("\(last)}".utf8)
        default:
            var bytes: [UInt8] = []
            JSONText.write(value, to: &bytes)
            return bytes
        }
    }

    private static func oneByOne(_ constraint: TokenConstraint) -> [Int] {
        var ids: [Int] = []
        for id in 0...Vocabularies.end {
            var copy = constraint
            if copy.advance(id) { ids.append(id) }
        }
        return ids
    }

    /// A mask has exactly the tokens that can be taken one by one; a small limit on what is
    /// remembered changes nothing.
    @Test(arguments: 0..<60)
    func masksAreTokenByToken(_ seed: UInt64) throws {
        guard let (schema, isStrict, grammar) = try Self.grammar(seed) else { return }
        let vocabulary = Vocabularies[seed]
        let forgetful = try TokenGrammar(
            Grammar(schema: schema, isStrict: isStrict), vocabulary, configurationLimit: 1)
        var generator = SeededGenerator(seed: seed)
        var walk = RandomWalk(grammar, vocabulary)
        var other = TokenConstraint(forgetful)
        for _ in 0..<12 {
            let allowed = walk.constraint.allowed(ends: [])
            let oneByOne = Self.oneByOne(walk.constraint)
            #expect(allowed.ids == oneByOne, "seed \(seed)")
            let others = other.allowed(ends: [])
            #expect(allowed == others, "seed \(seed)")
            guard let id = oneByOne.randomElement(using: &generator) else { break }
            try walk.take(id)
            let isTaken = other.advance(id)
            #expect(isTaken, "seed \(seed)")
        }
    }
}
