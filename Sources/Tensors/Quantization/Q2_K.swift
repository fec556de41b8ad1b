/// 256 numbers of 2 bits in 16 groups with 4-bit scales and minima:
/// `x = (d · scale) · q − dmin · minimum`.
///
/// Layout, 84 bytes: 16 bytes (scale in the low nibble, minimum in the high one), 64 bytes of q,
/// fp16 d, fp16 dmin. Each half of 128 elements has 32 bytes of q; element 32·j + i of the half is
/// in bits 2j and 2j+1 of byte i.
enum Q2_K {
    /// Writes the 256 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(80)
        let minimum = block.halfPrecision(82)
        for group in 0..<16 {
            let factors = block.unsignedByte(group)
            let groupScale = scale * Float(Int32(factors & 15))
            let groupMinimum = minimum * Float(Int32(factors >> 4))
            let source = 16 + group / 8 * 32 + group % 2 * 16
            let shift = UInt8(group % 8 / 2 * 2)
            for index in 0..<16 {
                let quant = block.unsignedByte(source + index) >> shift & 3
                output[group * 16 + index] = groupScale * Float(Int32(quant)) - groupMinimum
            }
        }
    }

    /// Writes the 256 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let fit = GroupFit<16>(input, size: 16, highest: 3, highestFactor: 15)
        let scale = block.store(halfPrecision: fit.scale, 80)
        let minimum = block.store(halfPrecision: fit.minimum, 82)
        for offset in 16..<80 { block.store(unsignedByte: 0, offset) }
        for group in 0..<16 {
            let scaleFactor = fit.scaleFactor(group, stored: scale, in: 0...15)
            let minimumFactor = fit.minimumFactor(group, stored: minimum, in: 0...15)
            let factors = UInt8(truncatingIfNeeded: scaleFactor | minimumFactor << 4)
            block.store(unsignedByte: factors, group)
            let target = 16 + group / 8 * 32 + group % 2 * 16
            let shift = UInt8(group % 8 / 2 * 2)
            for index in 0..<16 {
                let level = nearestLevel(
                    input[group * 16 + index], scale: scale * Float(scaleFactor),
                    minimum: -minimum * Float(minimumFactor), in: 0...3)
                block.merge(UInt8(level) << shift, target + index)
            }
        }
    }
}
