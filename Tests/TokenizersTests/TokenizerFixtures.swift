import Foundation
import SystemModel
import Tokenizers

/// One text with what Hugging Face's `tokenizers` library makes of it.
struct ReferenceCase: Decodable {
    let text: String?
    let ids: [Int]
    let decoded: String
    let decodedWithoutSpecial: String?
}

/// The fixtures under Tests/Fixtures/tokenizers.
enum TokenizerFixtures {
    static let names = ["gpt2", "llama3", "o200k", "qwen2", "sentencepiece"]

    static func bytes(_ path: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizers")
        return [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(tokenizerJSON: bytes("\(name)/tokenizer.json"), file: "\(name).json")
    }

    static func cases(_ name: String) throws -> [ReferenceCase] {
        try JSONDecoder().decode(
            [ReferenceCase].self, from: Data(bytes("\(name)/expected.json")))
    }
}

/// Random text that is hard on a tokenizer.
enum RandomText {
    /// Scalars old enough for every engine to agree on their properties.
    private static let known: [Unicode.Scalar] = (UInt32(0x80)..<0x30000).compactMap { value in
        guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age else {
            return nil
        }
        return age.major <= 10 ? scalar : nil
    }
    private static let pieces = [
        " ", "  ", "   ", "\n", "\r\n", "\r", "\t", "\u{0B}", "\u{85}", "\u{A0}", "\u{3000}", "'s",
        "'LL", "'\u{17F}", "a", "Bc", "the", "THE", "camelCase", "1", "12345", "½", "٣", "!", "...",
        "//", "_", "é", "e\u{301}", "ǅ", "ʰ", "文字", "かな", "한국", "\u{1100}\u{1161}", "🇩🇪",
        "👩\u{200D}👧", "❤\u{FE0F}", "مرحبا", "हिन्दी", "\u{0}", "\u{7F}", "\u{D7FF}\u{E000}",
        "\u{FFFD}", "\u{10FFFF}", "<|im_start|>", "<|endoftext|>", "<s>", "<0x41>", "▁",
    ]

    static func make(_ count: Int, using generator: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<count {
            if Int.random(in: 0..<4, using: &generator) > 0 {
                text += pieces.randomElement(using: &generator) ?? ""
            } else if let scalar = known.randomElement(using: &generator) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// Whether two strings have the same scalars; `==` would accept canonical equivalents.
func isIdentical(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}
