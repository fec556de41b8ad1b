/// 32 numbers of 4 bits with one scale: `x = d · (q − 8)`.
///
/// Layout, 18 bytes: fp16 d, 16 bytes whose low nibbles are q of elements 0…15 and whose high
/// nibbles are those of 16…31.
enum Q4_0 {
    /// Writes the 32 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        for index in 0..<16 {
            let pair = block.unsignedByte(2 + index)
            output[index] = scale * Float(Int32(pair & 15) - 8)
            output[index + 16] = scale * Float(Int32(pair >> 4) - 8)
        }
    }

    /// Writes the 32 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let group = QuantizationGroup(input, count: 32)
        let scale = block.store(halfPrecision: group.symmetricScale(lowest: -8), 0)
        block.storeNibbles(2) { nearestLevel(input[$0], scale: scale, in: -8...7) + 8 }
    }
}
