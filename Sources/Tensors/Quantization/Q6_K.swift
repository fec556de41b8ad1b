/// 256 numbers of 6 bits in 16 groups with 8-bit scales: `x = (d · scale) · (q − 32)`.
///
/// Layout, 210 bytes: 128 bytes of low nibbles, 64 bytes of upper two bits, 16 × int8 scales,
/// fp16 d. Each half of 128 elements has 64 bytes of nibbles: elements 0…63 in the low ones,
/// 64…127 in the high ones; and 32 bytes of upper bits: element 32·j + i in bits 2j and 2j+1 of
/// byte i.
enum Q6_K {
    /// Writes the 256 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(208)
        for group in 0..<16 {
            let groupScale = scale * Float(block.signedByte(192 + group))
            let half = group / 8
            let start = group % 8 * 16
            let lowSource = half * 64 + start % 64
            let lowShift = UInt8(start / 64 * 4)
            let highSource = 128 + half * 32 + start % 32
            let highShift = UInt8(start / 32 * 2)
            for index in 0..<16 {
                let low = block.unsignedByte(lowSource + index) >> lowShift & 15
                let high = block.unsignedByte(highSource + index) >> highShift & 3
                let quant = Int32(low | high << 4) - 32
                output[group * 16 + index] = groupScale * Float(quant)
            }
        }
    }
}
