import SystemModel
import Testing

@testable import Tokenizers

/// Streaming: text arrives early, in whole characters, and adds up to `decode`.
@Suite struct StreamDecoderTests {
    @Test(arguments: TokenizerFixtures.names)
    func addsUpToDecode(name: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            let count = Int.random(in: 0...12, using: &generator)
            var ids = (0..<count).map { _ in
                Int.random(in: 0..<tokenizer.vocabularyCount + 2, using: &generator)
            }
            if seed % 2 == 0 { ids += tokenizer.encode(RandomText.make(5, using: &generator)) }
            for skips in [false, true] {
                let whole = tokenizer.decode(ids, skippingSpecialTokens: skips)
                let parts = stream(tokenizer, ids, skips)
                #expect(isIdentical(parts.joined(), whole), "\(name), seed \(seed)")
            }
        }
    }

    @Test func holdsBackHalfCharacters() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        let ids = tokenizer.encode("a😀b")
        #expect(ids.count == 6)
        #expect(stream(tokenizer, ids, false) == ["a", "", "", "", "😀", "b", ""])
        #expect(stream(tokenizer, Array(ids.prefix(4)), false) == ["a", "", "", "", "\u{FFFD}"])
    }

    @Test func judgesRunsOfByteTokensAsAWhole() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("sentencepiece")
        let bytes = try [0xE4, 0xBD, 0xA0, 0xE4].map { byte in
            try #require(tokenizer.id(ofToken: "<0x\(String(byte, radix: 16, uppercase: true))>"))
        }
        let letter = try #require(tokenizer.id(ofToken: "a"))
        #expect(stream(tokenizer, bytes.prefix(3) + [letter], false) == ["", "", "", "你a", ""])
        #expect(
            tokenizer.decode(bytes, skippingSpecialTokens: false)
                == "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}")
    }

    @Test func dropsTheLeadingSpaceOnce() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("sentencepiece")
        let ids = tokenizer.encode("a a")
        #expect(stream(tokenizer, ids, false).joined() == "a a")
        let begin = try #require(tokenizer.id(ofToken: "<s>"))
        #expect(tokenizer.decode([begin] + ids, skippingSpecialTokens: true) == "a a")
        #expect(tokenizer.decode([begin] + ids, skippingSpecialTokens: false) == "<s> a a")
    }

    /// Every split of every character of 1 to 4 bytes is held back until it is whole.
    @Test func findsIncompleteSuffixes() {
        for character in ["a", "é", "文", "😀", "\u{10FFFF}", "\u{7FF}", "\u{800}"] {
            let bytes = Array(character.utf8)
            for count in 1..<bytes.count {
                #expect(UTF8Text.incompleteSuffixCount([0x61] + bytes.prefix(count)) == count)
            }
            #expect(UTF8Text.incompleteSuffixCount(bytes) == 0)
        }
        for invalid: [UInt8] in [[0x80], [0xC0], [0xE0, 0x80], [0xED, 0xA0], [0xF5], [0xFF]] {
            #expect(UTF8Text.incompleteSuffixCount(invalid) == 0)
        }
    }

    private func stream(_ tokenizer: Tokenizer, _ ids: [Int], _ skips: Bool) -> [String] {
        var decoder = StreamDecoder(tokenizer, skippingSpecialTokens: skips)
        var parts = ids.map { decoder.append($0) }
        parts.append(decoder.finish())
        return parts
    }
}
