import Foundation

extension ScalarSet {
    /// The scalars with a property, as in `\p{Lu}` or `\p{Han}`.
    ///
    /// General categories come from our own table; scripts and binary properties are asked of ICU,
    /// once per pattern, over all scalars.
    ///
    /// - Returns: nil for a name that neither knows.
    init?(property name: String) {
        if name.utf8.count <= 2, UnicodeProperties.categoryMask(name) != 0 {
            self = .category(name)
            return
        }
        let isName = name.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || $0 == "_" || $0 == "=")
        }
        guard isName, let runs = try? NSRegularExpression(pattern: "\\p{\(name)}+") else {
            return nil
        }
        self.init(ranges: Self.ranges(matching: runs))
    }

    private static func ranges(matching runs: NSRegularExpression) -> [ClosedRange<UInt32>] {
        var ranges: [ClosedRange<UInt32>] = []
        for plane in UInt32(0)...16 {
            let scalars = (plane << 16...plane << 16 | 0xFFFF).compactMap(Unicode.Scalar.init)
            let text = String(String.UnicodeScalarView(scalars))
            let whole = NSRange(location: 0, length: text.utf16.count)
            for match in runs.matches(in: text, range: whole) {
                guard let range = Range(match.range, in: text) else { continue }
                ranges += consecutive(text[range].unicodeScalars)
            }
        }
        return ranges
    }

    /// Surrogates make gaps in what is a run of text.
    private static func consecutive(
        _ scalars: Substring.UnicodeScalarView
    ) -> [ClosedRange<UInt32>] {
        guard let first = scalars.first?.value, let last = scalars.last?.value else { return [] }
        guard first < 0xD800, last > 0xDFFF else { return [first...last] }
        return [first...0xD7FF, 0xE000...last]
    }
}
