import Foundation
import SystemModel
import Testing

@testable import Tokenizers

/// Vocabularies as GGUF files have them.
@Suite struct TokenizerGGUFTests {
    /// The GGUF form of a fixture has the ids of its `tokenizer.json`.
    @Test(arguments: [
        ("gpt2", "gpt-2"), ("llama3", "llama-bpe"), ("qwen2", "qwen2"), ("o200k", "gpt-4o"),
        ("sentencepiece", nil),
    ])
    func agreesWithTokenizerJSON(name: String, preTokenizer: String?) throws {
        let reference = try TokenizerFixtures.tokenizer(name)
        let tokenizer = try Tokenizer(vocabulary: Self.vocabulary(name, preTokenizer))
        #expect(tokenizer.vocabularyCount == reference.vocabularyCount)
        for item in try TokenizerFixtures.cases(name) {
            let text = try #require(item.text)
            #expect(tokenizer.encode(text) == item.ids, "\(text.debugDescription)")
            let decoded = tokenizer.decode(item.ids, skippingSpecialTokens: false)
            #expect(isIdentical(decoded, item.decoded), "\(text.debugDescription)")
        }
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            let text = RandomText.make(12, using: &generator)
            #expect(tokenizer.encode(text) == reference.encode(text), "\(name), seed \(seed)")
        }
    }

    /// What the llama.cpp converter writes; for SentencePiece, scores that fall with the merges'
    /// ranks.
    private static func vocabulary(_ name: String, _ pre: String?) throws -> GGUFVocabulary {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        let data = Data(try TokenizerFixtures.bytes("\(name)/tokenizer.json"))
        let root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let model = try #require(root["model"] as? [String: Any])
        let merges = try #require(model["merges"] as? [[String]])
        let count = tokenizer.vocabularyCount
        var vocabulary = GGUFVocabulary(
            model: pre == nil ? "llama" : "gpt2", preTokenizer: pre,
            tokens: (0..<count).map { tokenizer.spelling(of: $0) }, file: "\(name).gguf")
        vocabulary.tokenTypes = (0..<count).map { id in
            tokenizer.isSpecial(id) ? 3 : name != "sentencepiece" && id >= 1500 ? 4 : 1
        }
        if pre == nil {
            vocabulary.scores = [Float](repeating: -1e6, count: count)
            for (rank, pair) in merges.enumerated().reversed() {
                let id = try #require(tokenizer.id(ofToken: pair.joined()))
                vocabulary.scores[id] = -Float(rank)
            }
        } else {
            vocabulary.merges = merges.map { Array($0.joined(separator: " ").utf8) }
        }
        return vocabulary
    }

    private static func small() -> GGUFVocabulary {
        let names = [
            "<unk>", "<s>", "</s>", "<0xC3>", "<0xA9>", "\u{2581}", "a", "b", "ab", "\u{2581}a",
            "!",
        ]
        var vocabulary = GGUFVocabulary(
            model: "llama", preTokenizer: nil, tokens: names.map { Array($0.utf8) }, file: "s.gguf")
        vocabulary.tokenTypes = [2, 3, 3, 6, 6, 1, 1, 1, 1, 1, 4]
        vocabulary.scores = [0, 0, 0, 0, 0, -9, -9, -9, -1, -2, 0]
        vocabulary.beginOfTextID = 1
        vocabulary.endOfTextID = 2
        vocabulary.endOfTurnID = 10
        vocabulary.unknownID = 0
        return vocabulary
    }

    @Test func mergesByScore() throws {
        var vocabulary = Self.small()
        let tokenizer = try Tokenizer(vocabulary: vocabulary)
        // "ab" (-1) comes before "▁a" (-2); "é" has byte tokens, "z" has none.
        #expect(tokenizer.encode("ab a") == [5, 8, 9])
        #expect(tokenizer.encode("é") == [5, 3, 4])
        #expect(tokenizer.encode("z") == [5, 0])
        #expect(tokenizer.encode("a<s>a!a") == [9, 1, 9, 10, 9])
        #expect(tokenizer.decode([9, 3, 4, 9], skippingSpecialTokens: false) == "aé a")
        #expect(tokenizer.beginOfTextID == 1)
        #expect(tokenizer.addsBeginOfText)
        #expect(tokenizer.endOfTextIDs == [2, 10])
        #expect(tokenizer.isSpecial(1))
        #expect(!tokenizer.isSpecial(10))
        #expect(tokenizer.bytes(of: 9) == Array(" a".utf8))
        #expect(tokenizer.bytes(of: 3) == [0xC3])
        vocabulary.addsSpacePrefix = false
        vocabulary.addsBeginOfText = false
        let plain = try Tokenizer(vocabulary: vocabulary)
        #expect(plain.encode("ab a") == [8, 9])
        #expect(plain.decode([9], skippingSpecialTokens: false) == " a")
        #expect(!plain.addsBeginOfText)
    }

    @Test func allPreTokenizersCompile() throws {
        for name in GGUFPreTokenizers.entries.keys {
            let letters = (UInt8.min...UInt8.max).map { ByteLevelAlphabet.spelled([$0]) }
            let vocabulary = GGUFVocabulary(
                model: "gpt2", preTokenizer: name, tokens: letters, file: "s.gguf")
            let tokenizer = try Tokenizer(vocabulary: vocabulary)
            let text = "It's 12345 naïve 文字!\r\n  x"
            let decoded = tokenizer.decode(tokenizer.encode(text), skippingSpecialTokens: false)
            #expect(isIdentical(decoded, text), "\(name)")
        }
    }

    private func expect(
        _ code: TokenizerError.Code, _ text: String, _ change: (inout GGUFVocabulary) -> Void
    ) {
        var vocabulary = Self.small()
        change(&vocabulary)
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(vocabulary: vocabulary) }
        #expect(error?.code == code)
        #expect(error?.message.hasPrefix("s.gguf: ") == true)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }

    @Test func refusesWhatIsWrong() {
        expect(.unsupported, "known are gpt2, llama") { $0.model = "bert" }
        expect(.unsupported, "gpt-2, gpt-4o") {
            $0.model = "gpt2"
            $0.preTokenizer = "nonsense"
        }
        expect(.unsupported, "missing") { $0.model = "gpt2" }
        expect(.inconsistent, "scores") { $0.scores = [] }
        expect(.malformed, "scores") { $0.scores[3] = .nan }
        expect(.inconsistent, "token_type") { $0.tokenTypes = [1] }
        expect(.inconsistent, "bos_token_id is 99") { $0.beginOfTextID = 99 }
        expect(.inconsistent, "eos_token_id is -1") { $0.endOfTextID = -1 }
        expect(.inconsistent, "unknown_token_id") { $0.unknownID = 11 }
        expect(.inconsistent, "occurs twice") { $0.tokens[7] = $0.tokens[6] }
        expect(.malformed, "not UTF-8") { $0.tokens[7] = [0xFF] }
        expect(.limitExceeded, "65536") { $0.tokens[7] = [UInt8](repeating: 0x61, count: 65537) }
        expect(.limitExceeded, "1024") { $0.tokens[7] = [UInt8](repeating: 0x61, count: 1025) }
        expect(.inconsistent, "merges[0]") {
            $0.model = "gpt2"
            $0.preTokenizer = "gpt-2"
            $0.merges = [Array("a z".utf8)]
        }
    }
}
