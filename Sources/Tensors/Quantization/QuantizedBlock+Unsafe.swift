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
