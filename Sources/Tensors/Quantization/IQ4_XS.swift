/// 256 numbers of 4 bits in 8 groups with 6-bit scales:
/// `x = (d · (scale − 32)) · table[q]` with the
/// table of IQ4_NL.
///
/// Layout, 136 bytes: fp16 d, 16 bits with the scales' upper two bits (group j in bits 2j and
/// 2j+1), 4 bytes with their low nibbles (group 2j in the low nibble of byte j), 128 bytes of q,
/// each 16 of them one group as in Q4_0.
enum IQ4_XS {
    /// Writes the 256 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        let scalesHigh = block.unsignedShort(2)
        for group in 0..<8 {
            let low = block.unsignedByte(4 + group / 2) >> UInt8(group % 2 * 4) & 15
            let high = UInt8(truncatingIfNeeded: scalesHigh >> UInt16(2 * group) & 3)
            let groupScale = scale * Float(Int32(low | high << 4) - 32)
            for index in 0..<16 {
                let pair = block.unsignedByte(8 + group * 16 + index)
                output[group * 32 + index] = groupScale * IQ4_NL.value(pair)
                output[group * 32 + index + 16] = groupScale * IQ4_NL.value(pair >> 4)
            }
        }
    }
}
