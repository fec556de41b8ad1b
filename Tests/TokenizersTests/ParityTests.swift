import Foundation
import Testing
import Tokenizers

/// Ids and texts equal those of Hugging Face's `tokenizers` library (0.23).
@Suite struct ParityTests {
    @Test(arguments: TokenizerFixtures.names)
    func fixtures(name: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        let cases = try TokenizerFixtures.cases(name)
        #expect(cases.count == 50)
        for reference in cases { expect(tokenizer, reference, name) }
    }

    /// Other normalizers, pre-tokenizers, decoders and added tokens, over random Unicode.
    @Test func variants() throws {
        let data = Data(try TokenizerFixtures.bytes("variants.json"))
        let variants = try #require(
            try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        #expect(variants.count == 44)
        for variant in variants {
            let name = try #require(variant["name"] as? String)
            let tokenizer = try Self.tokenizer(variant)
            let cases = try JSONDecoder().decode(
                [ReferenceCase].self,
                from: JSONSerialization.data(withJSONObject: try #require(variant["cases"])))
            #expect(cases.count >= 30, "\(name)")
            for reference in cases { expect(tokenizer, reference, name) }
        }
    }

    private func expect(_ tokenizer: Tokenizer, _ reference: ReferenceCase, _ name: String) {
        if let text = reference.text {
            #expect(tokenizer.encode(text) == reference.ids, "\(name): \(text.debugDescription)")
        }
        let decoded = tokenizer.decode(reference.ids, skippingSpecialTokens: false)
        #expect(isIdentical(decoded, reference.decoded), "\(name): \(reference.ids)")
        guard let expected = reference.decodedWithoutSpecial else { return }
        let withoutSpecial = tokenizer.decode(reference.ids, skippingSpecialTokens: true)
        #expect(isIdentical(withoutSpecial, expected), "\(name): \(reference.ids)")
    }

    /// The base file with the variant's fields in place of its own.
    private static func tokenizer(_ variant: [String: Any]) throws -> Tokenizer {
        let base = try #require(variant["base"] as? String)
        let data = Data(try TokenizerFixtures.bytes("\(base)/tokenizer.json"))
        var root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let changes = try #require(variant["changes"] as? [String: Any])
        root.merge(changes) { $1 }
        var model = try #require(root["model"] as? [String: Any])
        model.merge(try #require(variant["modelChanges"] as? [String: Any])) { $1 }
        if variant["mergesAreStrings"] as? Bool == true {
            let pairs = try #require(model["merges"] as? [[String]])
            model["merges"] = pairs.map { $0.joined(separator: " ") }
        }
        root["model"] = model
        let json = try JSONSerialization.data(withJSONObject: root)
        return try Tokenizer(tokenizerJSON: [UInt8](json), file: "variant")
    }
}
