extension Reference {
    /// See `KeyValueTile.store`.
    static func store(
        _ tile: KeyValueTile, key: UnsafePointer<Float>, value: UnsafePointer<Float>,
        at position: Int, in bytes: UnsafeMutableRawPointer
    ) {
        let keys = KeyPlaces(tile, bytes)
        store(key, count: tile.keySize, keys.place(position))
        guard !tile.valuesAreKeys else { return }
        store(value, count: tile.valueSize, ValuePlaces(tile, bytes).place(position))
    }

    /// One element of a stored key, as fp32.
    static func key(
        _ tile: KeyValueTile, _ position: Int, _ element: Int, in bytes: UnsafeRawPointer
    ) -> Float {
        let places = KeyPlaces(tile, UnsafeMutableRawPointer(mutating: bytes))
        return places.place(position).read(element)
    }

    /// One element of a stored value, as fp32.
    static func value(
        _ tile: KeyValueTile, _ position: Int, _ element: Int, in bytes: UnsafeRawPointer
    ) -> Float {
        guard !tile.valuesAreKeys else { return key(tile, position, element, in: bytes) }
        let places = ValuePlaces(tile, UnsafeMutableRawPointer(mutating: bytes))
        return places.place(position).read(element)
    }

    private static func store(_ row: UnsafePointer<Float>, count: Int, _ place: Place) {
        switch place.precision {
        case .f32: for index in 0..<count { place.write(row[index], index) }
        case .f16:
            for index in 0..<count {
                let number = row[index]
                let limited = number.isNaN ? number : min(max(number, -65504), 65504)
                place.write(bits: F16.bits(limited), index)
            }
        case .q8_0:
            for first in stride(from: 0, to: count, by: 32) {
                let block = (first..<first + 32).map { $0 < count ? row[$0] : 0 }
                let rows = quantize(Matrix(rows: 1, columns: 32, values: block))
                place.write(scale: rows.scales[0], block: first / 32)
                for (index, quant) in rows.quants.enumerated() {
                    place.write(quant: quant, first + index)
                }
            }
        }
    }

    /// Where one position's numbers lie: element `i` at `start + i · stride`, in numbers.
    private struct Place {
        let precision: KeyValuePrecision
        let numbers: UnsafeMutableRawPointer
        let start: Int
        let stride: Int
        let scales: UnsafeMutablePointer<Float>
        let scaleStart: Int
        let scaleStride: Int

        func read(_ index: Int) -> Float {
            let at = start + index * stride
            switch precision {
            case .f32: return numbers.assumingMemoryBound(to: Float.self)[at]
            case .f16: return F16.float(numbers.assumingMemoryBound(to: UInt16.self)[at])
            case .q8_0:
                let quant = numbers.assumingMemoryBound(to: Int8.self)[at]
                return Float(quant) * scales[scaleStart + index / 32 * scaleStride]
            }
        }

        func write(_ number: Float, _ index: Int) {
            numbers.assumingMemoryBound(to: Float.self)[start + index * stride] = number
        }

        func write(bits: UInt16, _ index: Int) {
            numbers.assumingMemoryBound(to: UInt16.self)[start + index * stride] = bits
        }

        func write(quant: Int8, _ index: Int) {
            numbers.assumingMemoryBound(to: Int8.self)[start + index * stride] = quant
        }

        func write(scale: Float, block: Int) { scales[scaleStart + block * scaleStride] = scale }
    }

    private struct KeyPlaces {
        let tile: KeyValueTile
        let bytes: UnsafeMutableRawPointer

        init(_ tile: KeyValueTile, _ bytes: UnsafeMutableRawPointer) {
            self.tile = tile
            self.bytes = bytes
        }

        func place(_ position: Int) -> Place {
            let count = KeyValueTile.positions
            let scales = bytes + (tile.keySize + 31) / 32 * 32 * count
            return Place(
                precision: tile.precision, numbers: bytes, start: position, stride: count,
                scales: scales.assumingMemoryBound(to: Float.self), scaleStart: position,
                scaleStride: count)
        }
    }

    private struct ValuePlaces {
        let tile: KeyValueTile
        let bytes: UnsafeMutableRawPointer

        init(_ tile: KeyValueTile, _ bytes: UnsafeMutableRawPointer) {
            self.tile = tile
            self.bytes = bytes
        }

        func place(_ position: Int) -> Place {
            let blocks = (tile.valueSize + 31) / 32
            let width = tile.precision == .q8_0 ? 32 * blocks : tile.valueColumns
            let numbers = bytes + tile.keyBytes
            let scales = numbers + 32 * blocks * KeyValueTile.positions
            return Place(
                precision: tile.precision, numbers: numbers, start: position * width, stride: 1,
                scales: scales.assumingMemoryBound(to: Float.self), scaleStart: position * blocks,
                scaleStride: 1)
        }
    }
}
