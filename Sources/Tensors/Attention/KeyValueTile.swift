/// How the keys and values of one key-value head and a page's positions are stored.
///
/// A tile is what attention reads at a time. Keys are stored by element, so that a score of sixteen
/// positions is computed at once; values by position, so that sixteen elements are.
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

    package init(keySize: Int, valueSize: Int, valuesAreKeys: Bool) {
        precondition(keySize > 0 && valueSize > 0, "keys and values have elements")
        precondition(!valuesAreKeys || valueSize <= keySize, "a value is a part of its key")
        self.keySize = keySize
        self.valueSize = valueSize
        self.valuesAreKeys = valuesAreKeys
    }

    /// Size of the keys in bytes: `[keySize × positions]`.
    var keyBytes: Int { 4 * keySize * Self.positions }
    /// Size of the values in bytes: `[positions × valueSize]`.
    var valueBytes: Int { valuesAreKeys ? 0 : 4 * valueSize * Self.positions }
    /// Size of a tile in bytes: keys, then values.
    package var byteCount: Int { keyBytes + valueBytes }
}
