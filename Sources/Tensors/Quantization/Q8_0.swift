/// 32 signed bytes with one scale: `x = d · q`.
///
/// Layout, 34 bytes: fp16 d, 32 × int8 q.
enum Q8_0 {
    /// Writes the 32 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        for index in 0..<32 { output[index] = scale * Float(block.signedByte(2 + index)) }
    }
}
