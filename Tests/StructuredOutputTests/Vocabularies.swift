import OrderedJSON
import SystemModel
import TestSupport
import Tokenizers

@testable import StructuredOutput

/// Vocabularies of the tokenizers under Tests/Fixtures/tokenizers.
enum Vocabularies {
    static let names = ["gpt2", "llama3", "o200k", "qwen2", "sentencepiece"]
    /// Stands for the token that ends an answer: beyond all others.
    static let end = 1600

    static let all: [String: TokenVocabulary] = {
        var all: [String: TokenVocabulary] = [:]
        for name in names {
            guard
                let bytes = try? Fixtures.bytes("tokenizers/\(name)/tokenizer.json"),
                let tokenizer = try? Tokenizer(tokenizerJSON: bytes, file: name)
            else { continue }
            all[name] = TokenVocabulary(tokenizer, count: end + 1)
        }
        return all
    }()

    static subscript(seed: UInt64) -> TokenVocabulary {
        all[names[Int(seed) % names.count]] ?? TokenVocabulary(count: 0, bytes: [])
    }
}

extension TokenVocabulary {
    /// All ways to begin `bytes` with one token.
    func beginnings(_ bytes: ArraySlice<UInt8>) -> [Int] {
        self.bytes.indices.filter { !self.bytes[$0].isEmpty && bytes.starts(with: self.bytes[$0]) }
    }

    /// Tokens that spell `bytes`, at random.
    func segmentation(
        _ bytes: [UInt8], using generator: inout SeededGenerator
    ) -> [Int] {
        var ids: [Int] = []
        var rest = bytes[...]
        while !rest.isEmpty, let id = beginnings(rest).randomElement(using: &generator) {
            ids.append(id)
            rest = rest.dropFirst(self.bytes[id].count)
        }
        return ids
    }
}

/// An answer drawn at random from what a grammar lets through.
struct RandomWalk {
    let vocabulary: TokenVocabulary
    var constraint: TokenConstraint
    var bytes: [UInt8] = []
    private(set) var ended = false

    init(_ grammar: TokenGrammar, _ vocabulary: TokenVocabulary) {
        constraint = TokenConstraint(grammar)
        self.vocabulary = vocabulary
    }

    /// What closes things first, so that a walk comes to its end.
    private static let closing = Array("\"}]el0123456789".utf8)

    mutating func step(isClosing: Bool, using generator: inout SeededGenerator) throws {
        let allowed = constraint.allowed(ends: [Vocabularies.end])
        var id = allowed.ids.randomElement(using: &generator) ?? -1
        if isClosing {
            id = allowed.contains(Vocabularies.end) ? Vocabularies.end : closer(allowed) ?? id
        }
        if id == Vocabularies.end {
            ended = true
        } else {
            try take(id)
        }
    }

    private func closer(_ allowed: TokenSet) -> Int? {
        for byte in Self.closing {
            for id in allowed.ids where vocabulary.bytes.indices.contains(id) {
                if vocabulary.bytes[id] == [byte] { return id }
            }
        }
        return nil
    }

    mutating func take(_ id: Int) throws {
        struct Refused: Error { let id: Int }
        guard constraint.advance(id) else { throw Refused(id: id) }
        bytes += vocabulary.bytes[id]
    }
}
