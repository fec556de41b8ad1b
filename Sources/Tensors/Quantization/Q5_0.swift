/// 32 numbers of 5 bits with one scale: `x = d · (q − 16)`.
///
/// Layout, 22 bytes: fp16 d, 32 fifth bits (bit i belongs to element i), 16 bytes of nibbles as in
/// Q4_0.
enum Q5_0 {
    /// Writes the 32 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        let fifthBits = block.unsignedLong(2)
        for index in 0..<16 {
            let pair = UInt32(block.unsignedByte(6 + index))
            let low = pair & 15 | (fifthBits >> UInt32(index) & 1) << 4
            let high = pair >> 4 | (fifthBits >> UInt32(index + 16) & 1) << 4
            output[index] = scale * Float(Int32(low) - 16)
            output[index + 16] = scale * Float(Int32(high) - 16)
        }
    }

    /// Writes the 32 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let group = QuantizationGroup(input, count: 32)
        let scale = block.store(halfPrecision: group.symmetricScale(lowest: -16), 0)
        storeLevels(block + 2) { nearestLevel(input[$0], scale: scale, in: -16...15) + 16 }
    }

    /// Stores 32 levels of 5 bits: four bytes of fifth bits, then the nibbles.
    static func storeLevels(_ target: UnsafeMutableRawPointer, _ level: (Int) -> Int32) {
        var fifthBits: UInt32 = 0
        for index in 0..<32 { fifthBits |= UInt32(level(index) >> 4 & 1) << UInt32(index) }
        target.store(unsignedLong: fifthBits, 0)
        target.storeNibbles(4, level)
    }
}
