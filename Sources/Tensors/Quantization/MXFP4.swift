/// 32 four-bit floating-point numbers (E2M1) that share a power of two (OCP Microscaling, MXFP4):
/// `x = 2^(e − 128) · table[q]`, where the table holds twice the E2M1 values.
///
/// Layout, 17 bytes: the biased exponent e, 16 bytes of nibbles as in Q4_0.
enum MXFP4 {
    private static let doubledValues: InlineArray<16, Float> = [
        0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12,
    ]

    /// Writes the 32 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = powerOfTwo(block.unsignedByte(0))
        for index in 0..<16 {
            let pair = block.unsignedByte(1 + index)
            output[index] = scale * doubledValues[Int(pair & 15)]
            output[index + 16] = scale * doubledValues[Int(pair >> 4)]
        }
    }

    /// 2^(e − 128), subnormal for e = 0 and 1.
    private static func powerOfTwo(_ exponent: UInt8) -> Float {
        let bits = UInt32(exponent)
        return Float(bitPattern: bits < 2 ? 0x0020_0000 << bits : (bits - 1) << 23)
    }
}
