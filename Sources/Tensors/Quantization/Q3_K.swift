/// 256 numbers of 3 bits in 16 groups with 6-bit scales: `x = (d · (scale − 32)) · (q − 4)`.
///
/// Layout, 110 bytes: 32 bytes of third bits (element 32·j + i is bit j of byte i), 64 bytes of
/// low bits as in Q2_K, 12 bytes of scales, fp16 d. Of the scales' 12 bytes, the first 8 hold the
/// low four bits of scales 0…7 (low nibbles) and 8…15 (high nibbles); bits 2k and 2k+1 of byte
/// 8 + j are the upper two bits of scale 4k + j.
enum Q3_K {
    /// Writes the 256 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(108)
        for group in 0..<16 {
            let groupScale = scale * Float(Int32(groupFactor(block + 96, group)) - 32)
            let source = 32 + group / 8 * 32 + group % 2 * 16
            let shift = UInt8(group % 8 / 2 * 2)
            let bit = UInt8(group / 2)
            for index in 0..<16 {
                let low = block.unsignedByte(source + index) >> shift & 3
                let high = block.unsignedByte(group % 2 * 16 + index) >> bit & 1
                let quant = Int32(low | high << 2) - 4
                output[group * 16 + index] = groupScale * Float(quant)
            }
        }
    }

    /// The 6-bit scale of `group` in the packed `scales`.
    @inline(__always)
    private static func groupFactor(_ scales: UnsafeRawPointer, _ group: Int) -> UInt8 {
        let low = scales.unsignedByte(group % 8) >> UInt8(group / 8 * 4) & 15
        let high = scales.unsignedByte(8 + group % 4) >> UInt8(group / 4 * 2) & 3
        return low | high << 4
    }

    /// Writes the 256 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let fit = GroupFit<16>(input, size: 16, lowest: -4, lowestFactor: -32)
        for offset in 0..<108 { block.store(unsignedByte: 0, offset) }
        let scale = block.store(halfPrecision: fit.scale, 108)
        for group in 0..<16 {
            let factor = fit.scaleFactor(group, stored: scale, in: -32...31)
            storeGroupFactor(UInt8(factor + 32), group, block + 96)
            let target = 32 + group / 8 * 32 + group % 2 * 16
            let shift = UInt8(group % 8 / 2 * 2)
            let bit = UInt8(group / 2)
            for index in 0..<16 {
                let level = nearestLevel(
                    input[group * 16 + index], scale: scale * Float(factor), in: -4...3)
                let bits = UInt8(level + 4)
                block.merge((bits & 3) << shift, target + index)
                block.merge((bits >> 2) << bit, group % 2 * 16 + index)
            }
        }
    }

    private static func storeGroupFactor(
        _ factor: UInt8, _ group: Int, _ scales: UnsafeMutableRawPointer
    ) {
        scales.merge((factor & 15) << UInt8(group / 8 * 4), group % 8)
        scales.merge((factor >> 4) << UInt8(group / 4 * 2), 8 + group % 4)
    }
}
