/// How token texts become text again: Hugging Face's chain of decoders, in the order that streaming
/// needs.
///
/// A token passes `tokenSteps` on its own; bytes of byte tokens are then joined; the joined text
/// passes `textSteps`, all of which can work character by character.
struct DecodingRules: Sendable {
    enum TokenStep: Sendable {
        case replace([UInt8], with: [UInt8])
        /// Removes up to `start` (`end`) copies of a scalar from the token's ends.
        case strip([UInt8], start: Int, end: Int)
        /// Replacement marks are spaces, except in the first token, where they are dropped when the
        /// encoder had added one.
        case metaspace([UInt8], dropsFirst: Bool)
    }

    enum TextStep: Sendable {
        /// One scalar becomes a string.
        case replace([UInt8], with: [UInt8])
        /// Removes up to `count` copies of a scalar from the very beginning.
        case stripStart([UInt8], count: Int)
    }

    /// What the spelling of a token stands for.
    enum Spelling: Sendable {
        case text
        /// GPT-2's names of bytes.
        case byteLevel
        /// Text, but "<0x41>" is a byte.
        case byteFallback
    }

    var spelling = Spelling.text
    var tokenSteps: [TokenStep] = []
    var textSteps: [TextStep] = []
    /// Whether tokens are joined by spaces, as without any decoder.
    var joinsBySpaces = false

    /// The byte that a token such as "<0x0A>" stands for.
    static func byte(_ token: ArraySlice<UInt8>) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token.last == UInt8(ascii: ">")
        else { return nil }
        let digits = token.dropFirst(3).prefix(2).map {
            Character(Unicode.Scalar($0)).hexDigitValue
        }
        guard let high = digits[0], let low = digits[1] else { return nil }
        return UInt8(high << 4 | low)
    }

    /// The token's text after the token steps.
    func text(of token: [UInt8], isFirst: Bool) -> [UInt8] {
        var text = token
        for step in tokenSteps {
            switch step {
            case .replace(let pattern, let replacement):
                text = Self.replacing(pattern, with: replacement, in: text)
            case .strip(let scalar, let start, let end):
                var (first, last) = (start, end)
                while first > 0, text.starts(with: scalar) {
                    text.removeFirst(scalar.count)
                    first -= 1
                }
                while last > 0, text.suffix(scalar.count).elementsEqual(scalar) {
                    text.removeLast(scalar.count)
                    last -= 1
                }
            case .metaspace(let mark, let dropsFirst):
                text = Self.replacing(mark, with: isFirst && dropsFirst ? [] : [0x20], in: text)
            }
        }
        return text
    }

    static func replacing(
        _ pattern: [UInt8], with replacement: [UInt8], in text: [UInt8]
    ) -> [UInt8] {
        guard text.contains(pattern[0]) else { return text }
        let normalizer = Normalizer(steps: [.replace(Pattern(literal: pattern), with: replacement)])
        return normalizer.normalize(text)
    }
}
