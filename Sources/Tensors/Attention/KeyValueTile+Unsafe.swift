extension KeyValueTile {
    /// Stores one position's key and value.
    ///
    /// - Parameters:
    ///   - key: `[keySize]`.
    ///   - value: `[valueSize]`; not read where values are keys.
    ///   - position: of the tile's `positions`.
    ///   - tile: `byteCount` bytes, aligned to 4.
    package func store(
        key: UnsafePointer<Float>, value: UnsafePointer<Float>, at position: Int,
        in tile: UnsafeMutableRawPointer
    ) {
        precondition(0..<Self.positions ~= position, "the position lies in the tile")
        let keys = tile.assumingMemoryBound(to: Float.self) + position
        for element in 0..<keySize { keys[element * Self.positions] = key[element] }
        guard !valuesAreKeys else { return }
        let values = (tile + keyBytes).assumingMemoryBound(to: Float.self)
        (values + position * valueSize).update(from: value, count: valueSize)
    }

    /// One element of a stored key.
    func key(_ position: Int, _ element: Int, in tile: UnsafeRawPointer) -> Float {
        tile.assumingMemoryBound(to: Float.self)[element * Self.positions + position]
    }

    /// One element of a stored value.
    func value(_ position: Int, _ element: Int, in tile: UnsafeRawPointer) -> Float {
        guard !valuesAreKeys else { return key(position, element, in: tile) }
        let values = (tile + keyBytes).assumingMemoryBound(to: Float.self)
        return values[position * valueSize + element]
    }
}
