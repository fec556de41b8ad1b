import SystemModel
import Testing

@testable import Tokenizers

/// A tokenizer.json said in GGUF's terms gives the same ids.
struct GGUFVocabularyTests {
    /// The fixture with Llama 3's rule applies its merges, unlike Llama 3, so that another name
    /// with the same rule is right.
    @Test(arguments: [
        ("gpt2", "gpt-2"), ("llama3", "smaug-bpe"), ("o200k", "gpt-4o"), ("qwen2", "qwen2"),
        ("sentencepiece", "default"),
    ])
    func idsStayTheSame(_ name: String, _ preTokenizer: String) throws {
        let original = try TokenizerFixtures.tokenizer(name)
        let vocabulary = try GGUFVocabulary(
            tokenizerJSON: TokenizerFixtures.bytes("\(name)/tokenizer.json"),
            count: original.vocabularyCount + 3, file: name)
        #expect(vocabulary.preTokenizer == preTokenizer)
        #expect(vocabulary.tokens.count == original.vocabularyCount + 3)
        let padding = GGUFVocabulary.TokenType.unused.rawValue
        #expect(vocabulary.tokenTypes.suffix(3) == [padding, padding, padding])
        let converted = try Tokenizer(vocabulary: vocabulary)
        let cases = try TokenizerFixtures.cases(name)
        #expect(!cases.isEmpty)
        for reference in cases {
            guard let text = reference.text else { continue }
            #expect(converted.encode(text) == reference.ids, "\(name): \(text.debugDescription)")
        }
    }

    @Test(arguments: ["llama3", "sentencepiece"], [UInt64](1...4))
    func idsOfRandomTextStayTheSame(_ name: String, _ seed: UInt64) throws {
        let original = try TokenizerFixtures.tokenizer(name)
        let vocabulary = try GGUFVocabulary(
            tokenizerJSON: TokenizerFixtures.bytes("\(name)/tokenizer.json"),
            count: original.vocabularyCount, file: name)
        let converted = try Tokenizer(vocabulary: vocabulary)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let text = RandomText.make(60, using: &generator)
            #expect(converted.encode(text) == original.encode(text), "\(name), seed \(seed)")
        }
    }

    @Test func tooManyTokensAreRefused() throws {
        #expect {
            _ = try GGUFVocabulary(
                tokenizerJSON: TokenizerFixtures.bytes("gpt2/tokenizer.json"), count: 10,
                file: "t.json")
        } throws: {
            "\($0)".hasPrefix("t.json: has ids up to ") && "\($0)".hasSuffix("has only 10")
        }
    }

    @Test func unknownPreTokenizersAreRefused() throws {
        let json = """
            {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "pre_tokenizer": {"type": \
            "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "l+"}, \
            "behavior": "Isolated"}, {"type": "ByteLevel", "use_regex": false, \
            "add_prefix_space": false}]}}
            """
        #expect {
            _ = try GGUFVocabulary(tokenizerJSON: Array(json.utf8), count: 1, file: "t.json")
        } throws: {
            "\($0)".hasPrefix("t.json: pre_tokenizer cuts text like none")
        }
    }
}
