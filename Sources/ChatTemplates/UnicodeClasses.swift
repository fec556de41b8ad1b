/// Python's classes of characters.
extension Unicode.Scalar {
    /// `str.isspace`, which is also what `strip` removes and `\s` matches.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
            0x205F, 0x3000:
            true
        default: false
        }
    }

    /// What `splitlines` splits at.
    var isLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// `str.isprintable`.
    var isPrintable: Bool {
        if isASCII { return (0x20..<0x7F).contains(value) }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator, .spaceSeparator:
            return false
        default: return true
        }
    }

    /// `str.isalpha`.
    var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        default: false
        }
    }

    /// `str.isdecimal`.
    var isDecimal: Bool { properties.generalCategory == .decimalNumber }

    /// `str.isdigit`.
    var isDigit: Bool {
        isDecimal || properties.numericType == .digit || properties.numericType == .decimal
    }

    /// `str.isalnum`.
    var isAlphanumeric: Bool { isLetter || properties.numericType != nil }

    /// What may stand in a name or a word (`\w`).
    var isWord: Bool { self == "_" || isAlphanumeric }

    /// Whether the scalar has case as `str.istitle` sees it.
    var isUpper: Bool { properties.isUppercase }

    var isLower: Bool { properties.isLowercase }

    var isTitle: Bool { properties.generalCategory == .titlecaseLetter }
}

extension String {
    /// Python's `str.upper`.
    var pythonUppercased: String { unicodeScalars.map(\.properties.uppercaseMapping).joined() }

    /// Python's `str.lower`, with the final form of sigma at the end of words.
    var pythonLowercased: String {
        let scalars = Array(unicodeScalars)
        return scalars.indices.map { Self.lowercased(scalars, $0) }.joined()
    }

    /// The lower-case form of one scalar in its text.
    static func lowercased(_ scalars: [Unicode.Scalar], _ index: Int) -> String {
        let isFinal = scalars[index] == "Σ" && isFinalSigma(scalars, index)
        return isFinal ? "ς" : scalars[index].properties.lowercaseMapping
    }

    private static func isFinalSigma(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }

    /// Python's `str.capitalize`: the first in title case, the others in lower case.
    var pythonCapitalized: String {
        guard let first = unicodeScalars.first else { return self }
        let rest = String(String.UnicodeScalarView(unicodeScalars.dropFirst()))
        return first.properties.titlecaseMapping + rest.pythonLowercased
    }
}
