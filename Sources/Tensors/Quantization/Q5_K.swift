/// 256 numbers of 5 bits in 8 groups with 6-bit scales and minima:
/// `x = (d · scale) · q − dmin · minimum`.
///
/// Layout, 176 bytes: fp16 d, fp16 dmin, 12 bytes of scales and minima as in Q4_K, 32 bytes of
/// fifth bits (element 32·j + i is bit j of byte i), 128 bytes of nibbles as in Q4_K.
enum Q5_K {
    /// Writes the 256 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        let minimum = block.halfPrecision(2)
        let factors = Q4_K.GroupFactors(bytes: block + 4)
        for group in 0..<8 {
            let groupScale = scale * factors.scale(group)
            let groupMinimum = minimum * factors.minimum(group)
            let source = 48 + group / 2 * 32
            let shift = UInt8(group % 2 * 4)
            for index in 0..<32 {
                let low = block.unsignedByte(source + index) >> shift & 15
                let high = block.unsignedByte(16 + index) >> UInt8(group) & 1
                let quant = Int32(low | high << 4)
                output[group * 32 + index] = groupScale * Float(quant) - groupMinimum
            }
        }
    }
}
