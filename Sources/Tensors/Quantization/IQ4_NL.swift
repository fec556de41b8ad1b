/// 32 numbers of 4 bits that choose from a table of 16 unevenly spaced values: `x = d · table[q]`.
///
/// Layout, 18 bytes: fp16 d, 16 bytes of nibbles as in Q4_0.
enum IQ4_NL {
    /// The value of each 4-bit number (`kvalues_iq4nl` of ggml-common.h).
    @inline(__always)
    static func value(_ quant: UInt8) -> Float { values[Int(quant & 15)] }

    private static let values: InlineArray<16, Float> = [
        -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
    ]

    /// Writes the 32 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        for index in 0..<16 {
            let pair = block.unsignedByte(2 + index)
            output[index] = scale * value(pair)
            output[index + 16] = scale * value(pair >> 4)
        }
    }
}
