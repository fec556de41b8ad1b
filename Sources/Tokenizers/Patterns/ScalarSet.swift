/// A set of Unicode scalars: what one character class of a regular expression matches.
///
/// Categories and white space are one bit each of a 64-bit mask over `UnicodeProperties` bytes, so a
/// test is a table look-up and a shift; ASCII is answered from a bitmap; ranges come last.
struct ScalarSet: Hashable, Sendable {
    private var mask: UInt64 = 0
    private var ranges: [ClosedRange<UInt32>] = []
    private var isNegated = false
    private(set) var ascii: ASCIISet = .none

    static let whiteSpace = ScalarSet(mask: ~UInt64(0) << 32)
    static let digit = category("Nd")
    /// `\w` as Oniguruma has it: letters, marks, numbers, connector punctuation.
    static let word = category("L").union(category("M")).union(category("N")).union(category("Pc"))
    static let punctuation = category("P").union(asciiPunctuation)
    /// Rust's `is_ascii_punctuation`, which counts symbols such as "+" too.
    private static let asciiPunctuation = ScalarSet(
        ranges: [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])
    static let any = ScalarSet(mask: ~0)
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
        result.updateASCII()
        return result
    }

    /// The union. Neither side may be a complement that has ranges: those are not unions of ranges.
    func union(_ other: ScalarSet) -> ScalarSet {
        let left = normalized
        let right = other.normalized
        return ScalarSet(mask: left.mask | right.mask, ranges: left.ranges + right.ranges)
    }

    /// The same set without a complement: what is left out of a list of ranges is a list of ranges.
    private var normalized: ScalarSet {
        guard isNegated else { return self }
        if ranges.isEmpty { return ScalarSet(mask: ~mask) }
        precondition(mask == 0, "a complement of ranges and categories is not a union")
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { gaps.append(next...0x10FFFF) }
        return ScalarSet(ranges: gaps)
    }

    /// Whether `union` accepts this set.
    var isUnionable: Bool { !isNegated || mask == 0 || ranges.isEmpty }

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
