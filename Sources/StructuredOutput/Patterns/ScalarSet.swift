/// A set of Unicode scalars.
struct ScalarSet: Hashable, Sendable {
    /// Ascending, not touching, without surrogates.
    private(set) var ranges: [ClosedRange<UInt32>]

    /// Every scalar.
    static let all = ScalarSet([0...0xD7FF, 0xE000...0x10FFFF])
    /// Those that a JSON string spells with a backslash.
    static let escaped = ScalarSet([0...0x1F, 0x22...0x22, 0x5C...0x5C])
    static let escapedBytes = ByteSet(Array(0...0x1F) + [0x22, 0x5C])

    /// - Parameter ranges: in any order; may overlap and contain surrogates.
    init(_ ranges: [ClosedRange<UInt32>]) {
        var joined: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard let last = joined.last, range.lowerBound <= last.upperBound &+ 1 else {
                joined.append(range)
                continue
            }
            joined[joined.count - 1] =
                last.lowerBound...max(last.upperBound, range.upperBound)
        }
        self.ranges = joined.flatMap { Self.cut($0, 0xD800...0xDFFF) }
    }

    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    init(_ text: String) { self.init(text.unicodeScalars.map { $0.value...$0.value }) }

    var isEmpty: Bool { ranges.isEmpty }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    func subtracting(_ other: ScalarSet) -> ScalarSet {
        ScalarSet(
            other.ranges.reduce(ranges) { left, range in left.flatMap { Self.cut($0, range) } })
    }

    /// The scalars that are one byte of UTF-8.
    var ascii: ByteSet {
        ByteSet(
            ranges.lazy.filter { $0.lowerBound < 0x80 }
                .flatMap { $0.lowerBound...min($0.upperBound, 0x7F) }.map { UInt8($0) })
    }

    /// The others.
    var beyondASCII: [ClosedRange<UInt32>] {
        ranges.flatMap { Self.cut($0, 0...0x7F) }
    }

    /// What is left of a range without another.
    private static func cut(
        _ range: ClosedRange<UInt32>, _ other: ClosedRange<UInt32>
    ) -> [ClosedRange<UInt32>] {
        guard range.overlaps(other) else { return [range] }
        var left: [ClosedRange<UInt32>] = []
        if range.lowerBound < other.lowerBound {
            left.append(range.lowerBound...other.lowerBound - 1)
        }
        if range.upperBound > other.upperBound {
            left.append(other.upperBound + 1...range.upperBound)
        }
        return left
    }
}

/// Scalars whose UTF-8 has the same number of bytes.
struct UTF8Range {
    /// The UTF-8 of the first and of the last one.
    let first: [UInt8]
    let last: [UInt8]

    /// A range of scalars without surrogates by the number of bytes.
    static func split(_ range: ClosedRange<UInt32>) -> [UTF8Range] {
        let sizes: [ClosedRange<UInt32>] = [
            0...0x7F, 0x80...0x7FF, 0x800...0xFFFF, 0x10000...0x10FFFF,
        ]
        return sizes.compactMap { size in
            guard size.overlaps(range) else { return nil }
            let part = size.clamped(to: range)
            guard let first = Unicode.Scalar(part.lowerBound),
                let last = Unicode.Scalar(part.upperBound)
            else { return nil }
            return UTF8Range(first: Array(first.utf8), last: Array(last.utf8))
        }
    }
}

extension Unicode.Scalar {
    fileprivate var utf8: String.UTF8View { String(Character(self)).utf8 }
}
