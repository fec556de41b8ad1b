import SystemModel
import Testing

@testable import Tokenizers

/// Short and long pieces merge as the definition says: the lowest rank first, leftmost among
/// equals.
@Suite struct BytePairEncodingTests {
    /// The definition, without any bookkeeping: the slow twin of both merging loops.
    private static func naive(_ text: String, _ ranks: [(String, String)]) -> [String] {
        var symbols = text.map { String($0) }
        while true {
            var best: (rank: Int, position: Int)?
            for position in symbols.indices.dropLast() {
                let rank = ranks.lastIndex { $0 == (symbols[position], symbols[position + 1]) }
                guard let rank, best.map({ rank < $0.rank }) ?? true else { continue }
                best = (rank, position)
            }
            guard let best else { return symbols }
            symbols[best.position] += symbols.remove(at: best.position + 1)
        }
    }

    private static func randomMerges(_ generator: inout SeededGenerator) -> [(String, String)] {
        var tokens = ["a", "b", "c", "d"]
        var merges: [(String, String)] = []
        for _ in 0..<24 {
            let left = tokens.randomElement(using: &generator) ?? "a"
            let right = tokens.randomElement(using: &generator) ?? "a"
            guard left.count + right.count <= 9 else { continue }
            merges.append((left, right))
            if !tokens.contains(left + right) { tokens.append(left + right) }
        }
        return merges
    }

    @Test(arguments: [12, 47, 48, 49, 50, 200])
    func agreesWithTheDefinition(count: Int) throws {
        for seed in UInt64(0)..<60 {
            var generator = SeededGenerator(seed: seed)
            let merges = Self.randomMerges(&generator)
            let text = String(
                (0..<count).map { _ in "abcd".randomElement(using: &generator) ?? "a" })
            let tokenizer = try SmallTokenizer.make(merges: merges, letters: ["a", "b", "c", "d"])
            let expected = Self.naive(text, merges).map { tokenizer.id(ofToken: $0) }
            #expect(tokenizer.encode(text) == expected, "seed \(seed), \(text), \(merges)")
        }
    }

    /// Cutting text where no merge crosses does not change a token.
    @Test func cuttingChangesNothing() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("sentencepiece")
        for seed in UInt64(0)..<200 {
            var generator = SeededGenerator(seed: seed)
            var text = "x" + RandomText.make(20, using: &generator)
            text.unicodeScalars.removeAll { $0 == "<" || $0 == " " }
            var work = BytePairEncoding.Workspace()
            var whole: [Int] = []
            let bytes = Array("▁\(text)".utf8)
            tokenizer.model.encode(bytes, 0..<bytes.count, &work, to: &whole)
            #expect(tokenizer.encode(text) == whole, "seed \(seed), \(text.debugDescription)")
        }
    }

    /// A second occurrence comes from the word cache.
    @Test func repeatedTextRepeatsItsTokens() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("llama3")
        for seed in UInt64(0)..<50 {
            var generator = SeededGenerator(seed: seed)
            let text = RandomText.make(30, using: &generator) + "<|im_start|>"
            let once = tokenizer.encode(text)
            let twice = tokenizer.encode(text + text)
            #expect(twice == once + once, "seed \(seed), \(text.debugDescription)")
        }
    }

    /// Quadratic merging would take minutes.
    @Test(.timeLimit(.minutes(1)), arguments: TokenizerFixtures.names)
    func aMillionEqualLetters(name: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        let text = String(repeating: "a", count: 1_000_000)
        let ids = tokenizer.encode(text)
        #expect(ids.count > 1000)
        #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == text)
    }

    @Test func encodesInvalidBytesAsReplacements() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        let bytes: [UInt8] = [0x61, 0xFF, 0xE2, 0x82, 0x62]
        #expect(tokenizer.encode(bytes: bytes) == tokenizer.encode("a\u{FFFD}\u{FFFD}b"))
        #expect(tokenizer.encode(bytes: Array("naïve".utf8)) == tokenizer.encode("naïve"))
    }
}

/// Tokenizers of a few letters, made by hand.
enum SmallTokenizer {
    static func make(
        merges: [(String, String)], letters: [String]
    ) throws -> Tokenizer {
        var tokens = letters
        for (left, right) in merges where !tokens.contains(left + right) {
            tokens.append(left + right)
        }
        let vocabulary = tokens.enumerated().map { "\"\($0.element)\":\($0.offset)" }
        let pairs = merges.map { "[\"\($0.0)\",\"\($0.1)\"]" }
        let json = """
            {"model":{"type":"BPE","vocab":{\(vocabulary.joined(separator: ","))},
            "merges":[\(pairs.joined(separator: ","))]}}
            """
        return try Tokenizer(tokenizerJSON: Array(json.utf8), file: "small.json")
    }
}
