/// 32 numbers of 5 bits with a scale and a minimum: `x = d · q + m`.
///
/// Layout, 24 bytes: fp16 d, fp16 m, 32 fifth bits, 16 bytes of nibbles, as in Q5_0.
enum Q5_1 {
    /// Writes the 32 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        let minimum = block.halfPrecision(2)
        let fifthBits = block.unsignedLong(4)
        for index in 0..<16 {
            let pair = UInt32(block.unsignedByte(8 + index))
            let low = pair & 15 | (fifthBits >> UInt32(index) & 1) << 4
            let high = pair >> 4 | (fifthBits >> UInt32(index + 16) & 1) << 4
            output[index] = scale * Float(Int32(low)) + minimum
            output[index + 16] = scale * Float(Int32(high)) + minimum
        }
    }

    /// Writes the 32 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let group = QuantizationGroup(input, count: 32)
        let line = group.scaleAndMinimum(highest: 31, minimumIsNegative: false)
        let scale = block.store(halfPrecision: line.scale, 0)
        let minimum = block.store(halfPrecision: line.minimum, 2)
        Q5_0.storeLevels(block + 4) {
            nearestLevel(input[$0], scale: scale, minimum: minimum, in: 0...31)
        }
    }
}
