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

    /// Writes the 256 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let fit = GroupFit<8>(input, size: 32, highest: 31, highestFactor: 63)
        let lines = Q4_K.storeFactors(fit, block)
        for offset in 16..<176 { block.store(unsignedByte: 0, offset) }
        for group in 0..<8 {
            let target = 48 + group / 2 * 32
            let shift = UInt8(group % 2 * 4)
            for index in 0..<32 {
                let level = nearestLevel(
                    input[group * 32 + index], scale: lines[group].scale,
                    minimum: lines[group].minimum, in: 0...31)
                block.merge((UInt8(level) & 15) << shift, target + index)
                block.merge((UInt8(level) >> 4) << UInt8(group), 16 + index)
            }
        }
    }
}
