/// How the keys and values of one key-value head and a page's positions are stored.
///
/// A tile is what attention reads at a time. Keys are stored by element, so that a score of sixteen
/// positions is computed at once; values by position, so that sixteen elements are. Layout:
/// `martlet_tile` in Sources/CKernels/include/CKernels.h.
package struct KeyValueTile: Sendable, Equatable {
    /// Positions of a page, and so of a tile. Pages start at multiples of it, so sums over a
    /// sequence are split at the same positions however it was read in.
    package static let positions = 64

    /// Elements of a key.
    package let keySize: Int
    /// Elements of a value.
    package let valueSize: Int
    /// Whether a value is the first elements of its key, and is not stored again.
    package let valuesAreKeys: Bool
    package let precision: KeyValuePrecision

    package init(
        keySize: Int, valueSize: Int, valuesAreKeys: Bool, precision: KeyValuePrecision
    ) {
        precondition(keySize > 0 && valueSize > 0, "keys and values have elements")
        precondition(!valuesAreKeys || valueSize <= keySize, "a value is a part of its key")
        self.keySize = keySize
        self.valueSize = valueSize
        self.valuesAreKeys = valuesAreKeys
        self.precision = precision
    }

    /// Size of the keys in bytes.
    var keyBytes: Int { bytes(perPosition: keySize, lanes: 1) }
    /// Size of the values in bytes.
    var valueBytes: Int { valuesAreKeys ? 0 : bytes(perPosition: valueSize, lanes: 16) }
    /// Size of a tile in bytes: keys, then values. A multiple of 64.
    package var byteCount: Int { keyBytes + valueBytes }
    /// Elements of a value, rounded up to whole vectors.
    var valueColumns: Int { (valueSize + 15) / 16 * 16 }

    private func bytes(perPosition size: Int, lanes: Int) -> Int {
        let padded = (size + lanes - 1) / lanes * lanes
        let blocks = (size + 31) / 32
        switch precision {
        case .f32: return Self.positions * 4 * padded
        case .f16: return Self.positions * 2 * padded
        case .q8_0: return Self.positions * 36 * blocks
        }
    }
}
