import Foundation
import SystemModel
import Testing

@testable import Tokenizers

/// Our matcher finds what a general regular-expression engine (ICU, through Foundation) finds.
@Suite struct PatternTests {
    private static let reporter = ErrorReporter(file: "test")

    private static let expressions: [String] =
        GGUFPreTokenizers.entries.values.flatMap(\.expressions).reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        } + [
            #"(?i:foo|[sdmt]|ll)\p{L}?|\p{Han}+|[\p{L}&&[^a-z]]+"#,
            #"(?<=a)b|(?<![a-z])\p{Lu}+?[^\n]"#,
            #"[^\r\n\p{L}\p{N}]?+\p{L}++| ?(?:\p{N}{2,3}){1,2}"#, #"(?>a+|the)h?|T(?=HE)|\x41|\t"#,
            #"(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|[^\n]{2,4}?"#,
        ]

    @Test func agreesWithICU() throws {
        #expect(Self.expressions.count >= 20)
        for expression in Self.expressions {
            let pattern = try Pattern(expression: expression, reporter: Self.reporter)
            let general = try NSRegularExpression(pattern: Self.translated(expression))
            for seed in UInt64(0)..<150 {
                var generator = SeededGenerator(seed: seed)
                let text = RandomText.make(Int(seed % 12) + 1, using: &generator)
                #expect(
                    Self.matches(pattern, text) == Self.matches(general, text),
                    "\(expression), seed \(seed), \(text.debugDescription)")
            }
        }
    }

    /// ICU's `\s` lacks vertical tab and next line, and its `$` does not hold before every line
    /// feed.
    private static func translated(_ expression: String) -> String {
        let spaces = #"\t-\r\x{85}\p{Z}"#
        var result = ""
        var depth = 0
        var isEscaped = false
        for scalar in expression.unicodeScalars {
            if isEscaped {
                switch scalar {
                case "s": result += depth > 0 ? spaces : "[\(spaces)]"
                case "S": result += "[^\(spaces)]"
                default: result += "\\\(scalar)"
                }
                isEscaped = false
                continue
            }
            if scalar == "[" { depth += 1 }
            if scalar == "]" { depth -= 1 }
            isEscaped = scalar == "\\"
            guard !isEscaped else { continue }
            if scalar == "$", depth == 0 {
                result += #"(?=\n|\z)"#
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func matches(_ pattern: Pattern, _ text: String) -> [String] {
        let bytes = Array(text.utf8)
        var found: [String] = []
        pattern.forEachMatch(in: bytes, 0..<bytes.count) { match in
            found.append("\(match.lowerBound) " + String(decoding: bytes[match], as: UTF8.self))
        }
        return found
    }

    private static func matches(_ expression: NSRegularExpression, _ text: String) -> [String] {
        let whole = NSRange(location: 0, length: text.utf16.count)
        return expression.matches(in: text, range: whole).compactMap { match in
            // Built from UTF-16 offsets: a match may end within a grapheme cluster.
            let start = text.utf16.index(text.startIndex, offsetBy: match.range.location)
            let end = text.utf16.index(start, offsetBy: match.range.length)
            let offset = text.utf8.distance(from: text.startIndex, to: start)
            return "\(offset) " + String(decoding: text.utf8[start..<end], as: UTF8.self)
        }
    }

    @Test func refusesWhatItDoesNotKnow() {
        for expression in [
            "(", ")", "[", "[]", "a**", "(?<name>a)", #"(a)\1"#, #"\X"#, "(?:a?)*", "a{1000}",
            "[[:alpha:]]", #"\p{Nonsense}"#, #"\p{"#, "(?i:é)", "(?<=a+)b", "\\", "a{2,1}", "*",
        ] {
            #expect(throws: TokenizerError.self, "\(expression)") {
                try Pattern(expression: expression, reporter: Self.reporter)
            }
        }
        let nested = String(repeating: "(", count: 100_000)
        #expect(throws: TokenizerError.self) {
            try Pattern(expression: nested, reporter: Self.reporter)
        }
        let classes = String(repeating: "[", count: 10_000)
        #expect(throws: TokenizerError.self) {
            try Pattern(expression: classes, reporter: Self.reporter)
        }
    }

    /// The table holds what the standard library says of each scalar.
    @Test func propertiesAgreeWithTheStandardLibrary() {
        let letters = ScalarSet.category("L")
        let kinds: Set<Unicode.GeneralCategory> = [
            .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
        ]
        var wrong: [UInt32] = []
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isLetter = kinds.contains(scalar.properties.generalCategory)
            let isSpace = scalar.properties.isWhitespace
            if letters.contains(value) != isLetter { wrong.append(value) }
            if ScalarSet.whiteSpace.contains(value) != isSpace { wrong.append(value) }
        }
        #expect(wrong.isEmpty)
    }
}
