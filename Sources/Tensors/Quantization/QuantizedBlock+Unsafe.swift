/// Reading the fields of one quantised block, which may start at any address.
/// Offsets are in bytes from the block's start; numbers are little-endian.
extension UnsafeRawPointer {
    @inline(__always)
    func unsignedByte(_ offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }

    @inline(__always)
    func signedByte(_ offset: Int) -> Int8 { load(fromByteOffset: offset, as: Int8.self) }

    @inline(__always)
    func unsignedShort(_ offset: Int) -> UInt16 {
        UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inline(__always)
    func unsignedLong(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inline(__always)
    func halfPrecision(_ offset: Int) -> Float { F16.float(unsignedShort(offset)) }
}

/// Writing the fields of one quantised block.
extension UnsafeMutableRawPointer {
    @inline(__always)
    func store(unsignedByte value: UInt8, _ offset: Int) {
        storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }

    @inline(__always)
    func store(unsignedShort value: UInt16, _ offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt16.self)
    }

    @inline(__always)
    func store(unsignedLong value: UInt32, _ offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// Stores the half-precision number nearest to `value` (the largest finite one where it is
    /// beyond them) and returns it: the scale that a reader will see.
    @inline(__always)
    func store(halfPrecision value: Float, _ offset: Int) -> Float {
        let bits = F16.bits(min(max(value, -65504), 65504))
        store(unsignedShort: bits, offset)
        return F16.float(bits)
    }

    /// Adds the bits of `value` to the byte at `offset`.
    @inline(__always)
    func merge(_ value: UInt8, _ offset: Int) {
        store(unsignedByte: load(fromByteOffset: offset, as: UInt8.self) | value, offset)
    }

    /// Stores 32 levels of 4 bits: element i in the low nibble of byte i, 16 + i in the high one.
    @inline(__always)
    func storeNibbles(_ offset: Int, _ level: (Int) -> Int32) {
        for index in 0..<16 {
            let pair = level(index) & 15 | (level(index + 16) & 15) << 4
            store(unsignedByte: UInt8(truncatingIfNeeded: pair), offset + index)
        }
    }
}
