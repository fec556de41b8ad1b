/// A set of Unicode scalars: what one character class of a regular expression matches.
///
/// Categories and white space are one bit each of a 64-bit mask over `UnicodeProperties` bytes, so
/// a test is a table look-up and a shift; ASCII is answered from a bitmap; ranges come last.
struct ScalarSet: Hashable, Sendable {
    /// A bit per `UnicodeProperties` byte.
    private(set) var mask: UInt64 = 0
    /// Scalars outside the mask, in any order.
    private(set) var ranges: [ClosedRange<UInt32>] = []
    private(set) var isNegated = false
    private(set) var ascii: ASCIISet = .none

    static let whiteSpace = ScalarSet(mask: ~UInt64(0) << 32)
    static let digit = category("Nd")
    /// `\w` as Oniguruma has it: letters, marks, numbers, connector punctuation.
    static let word = category("L").union(category("M")).union(category("N")).union(category("Pc"))
    /// `\w` as Rust's regular expressions have it (Unicode Technical Standard 18, annex C), which
    /// Hugging Face uses apart from patterns in files: without numbers such as "½", with joiners.
    static let wordByAnnexC = ScalarSet { value in
        guard let scalar = Unicode.Scalar(value) else { return false }
        return scalar.properties.isAlphabetic || marksDigitsConnectors.contains(value)
            || (0x200C...0x200D).contains(value)
    }
    private static let marksDigitsConnectors = category("M").union(digit).union(category("Pc"))
    static let punctuation = category("P").union(asciiPunctuation)
    /// Rust's `is_ascii_punctuation`, which counts symbols such as "+" too.
    private static let asciiPunctuation = ScalarSet(
        ranges: [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])
    static let newline = ScalarSet(ranges: [0x0A...0x0A])

    /// All categories whose names begin with `prefix` ("L", "Lu").
    static func category(_ prefix: String) -> ScalarSet {
        let mask = UInt64(UnicodeProperties.categoryMask(prefix))
        return ScalarSet(mask: mask | mask << 32)
    }

    init(mask: UInt64 = 0, ranges: [ClosedRange<UInt32>] = []) {
        self.mask = mask
        self.ranges = ranges
        updateASCII()
    }

    /// The complement.
    var inverted: ScalarSet {
        var result = self
        result.isNegated.toggle()
        if ranges.isEmpty {
            result.isNegated = false
            result.mask = ~mask
        }
        result.updateASCII()
        return result
    }

    func union(_ other: ScalarSet) -> ScalarSet {
        guard isNegated || other.isNegated else {
            return ScalarSet(mask: mask | other.mask, ranges: ranges + other.ranges)
        }
        return ScalarSet { contains($0) || other.contains($0) }
    }

    func intersection(_ other: ScalarSet) -> ScalarSet {
        guard ranges.isEmpty, other.ranges.isEmpty else {
            return ScalarSet { contains($0) && other.contains($0) }
        }
        return ScalarSet(mask: mask & other.mask)
    }

    /// All scalars for which `contains` holds, found by asking for each: some milliseconds.
    private init(_ contains: (UInt32) -> Bool) {
        var ranges: [ClosedRange<UInt32>] = []
        for scalar in UInt32(0)...0x10FFFF where contains(scalar) {
            if let last = ranges.last, last.upperBound + 1 == scalar {
                ranges[ranges.count - 1] = last.lowerBound...scalar
            } else {
                ranges.append(scalar...scalar)
            }
        }
        self.init(ranges: ranges)
    }

    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        scalar < 128 ? ascii.contains(UInt8(scalar)) : containsByProperties(scalar)
    }

    private func containsByProperties(_ scalar: UInt32) -> Bool {
        if mask >> UInt64(UnicodeProperties.shared.byte(of: scalar)) & 1 != 0 { return !isNegated }
        for range in ranges where range.contains(scalar) { return !isNegated }
        return isNegated
    }

    private mutating func updateASCII() {
        ascii = .none
        for byte in UInt8(0)..<128 where containsByProperties(UInt32(byte)) { ascii.insert(byte) }
    }
}

/// A set of ASCII characters, as two words.
struct ASCIISet: Hashable, Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    static let none = ASCIISet()
    static let all = ASCIISet(low: ~0, high: ~0)

    private init(low: UInt64 = 0, high: UInt64 = 0) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 != 0
    }

    mutating func insert(_ byte: UInt8) {
        if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
    }

    func union(_ other: ASCIISet) -> ASCIISet {
        ASCIISet(low: low | other.low, high: high | other.high)
    }
}
