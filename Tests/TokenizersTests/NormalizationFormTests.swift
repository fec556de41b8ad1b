import Foundation
import Testing

@testable import Tokenizers

/// The short cut for inert text changes nothing, and Hangul composes by the standard's algorithm.
@Suite struct NormalizationFormTests {
    private static func normalized(_ text: String, _ form: NormalizationForm) -> String {
        var bytes = Array(text.utf8)
        form.normalize(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Scalar by scalar, alone and before a combining mark, against Foundation on the whole string.
    @Test func agreesWithFoundation() {
        // All scripts of the first blocks, a sample of the ideographs and syllables above.
        for value in Array(UInt32(0)..<0x3400) + Array(stride(from: 0x3400, to: 0x30000, by: 61)) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for text in ["a\(scalar)", "a\(scalar)\u{323}\u{301}b"] {
                let decomposed = Self.normalized(text, .nfd)
                #expect(isIdentical(decomposed, text.decomposedStringWithCanonicalMapping))
                let compatible = Self.normalized(text, .nfkd)
                #expect(isIdentical(compatible, text.decomposedStringWithCompatibilityMapping))
                let composed = Self.normalized(text, .nfc)
                #expect(isIdentical(composed, decomposed.precomposedStringWithCanonicalMapping))
                let both = Self.normalized(text, .nfkc)
                #expect(isIdentical(both, compatible.precomposedStringWithCanonicalMapping))
            }
        }
    }

    @Test func composesHangul() {
        #expect(isIdentical(Self.normalized("\u{1112}\u{1161}\u{11AB}", .nfc), "\u{D55C}"))
        #expect(isIdentical(Self.normalized("\u{D558}\u{11AB}", .nfc), "\u{D55C}"))
        #expect(isIdentical(Self.normalized("\u{D55C}", .nfd), "\u{1112}\u{1161}\u{11AB}"))
    }
}
