/// Writes little-endian fields into a buffer of exactly the size a message needs.
struct ByteWriter {
    private var bytes: [UInt8]
    private var offset = 0

    /// Starts a message of `count` bytes.
    init(count: Int) {
        bytes = [UInt8](repeating: 0, count: count)
    }

    mutating func write(_ value: some FixedWidthInteger & UnsignedInteger) {
        for index in 0..<(value.bitWidth / 8) {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
        offset += value.bitWidth / 8
    }

    mutating func write(_ value: Float) {
        write(value.bitPattern)
    }

    mutating func write(_ more: [UInt8]) {
        bytes.replaceSubrange(offset..<(offset + more.count), with: more)
        offset += more.count
    }

    /// Lets `fill` write the next `count` bytes in place, all of them.
    mutating func write<Failure>(
        count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let range = offset..<(offset + count)
        try bytes.withUnsafeMutableBufferPointer { (all) throws(Failure) in
            try fill(
                UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: all[range])))
        }
        offset += count
    }

    /// The message. All of it has been written.
    consuming func finish() -> [UInt8] {
        precondition(offset == bytes.count, "a message must fill the size computed for it")
        return bytes
    }
}
