/// General category and White_Space of every Unicode scalar, as one byte each.
///
/// A byte is the category's index (0..<30) plus 32 for white space. The two-stage table (blocks of
/// 128 scalars, equal blocks shared) is built once from the standard library's properties, which
/// are too slow to ask for every character of a text.
struct UnicodeProperties: Sendable {
    static let shared = UnicodeProperties()
    /// Set in a scalar's byte when it has the property White_Space.
    static let whiteSpaceFlag: UInt8 = 32

    private let blockOffsets: [UInt16]
    private let bytes: [UInt8]

    @inline(__always)
    func byte(of scalar: UInt32) -> UInt8 {
        bytes[Int(blockOffsets[Int(scalar >> 7)]) << 7 | Int(scalar & 127)]
    }

    /// The index of a two-letter general category such as "Lu"; nil when there is no such category.
    static func categoryIndex(_ name: String) -> Int? { categories.firstIndex(of: name) }

    /// A bit per category whose two-letter name begins with `prefix` ("L" or "Lu"); 0 for none.
    static func categoryMask(_ prefix: String) -> UInt32 {
        var mask: UInt32 = 0
        for (index, name) in categories.enumerated() where name.hasPrefix(prefix) {
            mask |= 1 << UInt32(index)
        }
        return prefix.isEmpty ? 0 : mask
    }

    private static let categories = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]

    private init() {
        var blockOffsets: [UInt16] = []
        var bytes: [UInt8] = []
        var known: [[UInt8]: UInt16] = [:]
        for block in UInt32(0)..<0x110000 >> 7 {
            let content = Self.block(block)
            let offset = known[content] ?? UInt16(bytes.count >> 7)
            if known.updateValue(offset, forKey: content) == nil { bytes += content }
            blockOffsets.append(offset)
        }
        self.blockOffsets = blockOffsets
        self.bytes = bytes
    }

    private static let unassigned = [UInt8](repeating: 29, count: 128)

    private static func block(_ index: UInt32) -> [UInt8] {
        let start = index << 7
        // Planes 4 to 13 have no assigned scalars and 15 to 16 only private ones, except the last
        // two of each plane; asking for each would triple the time.
        if (0x40000..<0xE0000).contains(start) { return unassigned }
        if start >= 0xF0000, start & 0xFFFF != 0xFF80 { return [UInt8](repeating: 28, count: 128) }
        return (start..<start + 128).map { value in
            guard let scalar = Unicode.Scalar(value) else { return UInt8(27) }
            let category = Self.index(of: scalar.properties.generalCategory)
            // White space is the separators (22...24) and some control characters (25).
            let isCandidate = (22...25).contains(category)
            return category | (isCandidate && scalar.properties.isWhitespace ? whiteSpaceFlag : 0)
        }
    }

    private static func index(of category: Unicode.GeneralCategory) -> UInt8 {
        switch category {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .titlecaseLetter: 2
        case .modifierLetter: 3
        case .otherLetter: 4
        case .nonspacingMark: 5
        case .spacingMark: 6
        case .enclosingMark: 7
        case .decimalNumber: 8
        case .letterNumber: 9
        case .otherNumber: 10
        case .connectorPunctuation: 11
        case .dashPunctuation: 12
        case .openPunctuation: 13
        case .closePunctuation: 14
        case .initialPunctuation: 15
        case .finalPunctuation: 16
        case .otherPunctuation: 17
        case .mathSymbol: 18
        case .currencySymbol: 19
        case .modifierSymbol: 20
        case .otherSymbol: 21
        case .spaceSeparator: 22
        case .lineSeparator: 23
        case .paragraphSeparator: 24
        case .control: 25
        case .format: 26
        case .surrogate: 27
        case .privateUse: 28
        case .unassigned: 29
        @unknown default: 29
        }
    }
}
