/// 32 numbers of 4 bits with a scale and a minimum: `x = d · q + m`.
///
/// Layout, 20 bytes: fp16 d, fp16 m, 16 bytes of nibbles as in Q4_0.
enum Q4_1 {
    /// Writes the 32 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        let minimum = block.halfPrecision(2)
        for index in 0..<16 {
            let pair = block.unsignedByte(4 + index)
            output[index] = scale * Float(Int32(pair & 15)) + minimum
            output[index + 16] = scale * Float(Int32(pair >> 4)) + minimum
        }
    }
}
