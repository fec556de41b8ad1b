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

    /// Writes the 32 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let group = QuantizationGroup(input, count: 32)
        let line = group.scaleAndMinimum(highest: 15, minimumIsNegative: false)
        let scale = block.store(halfPrecision: line.scale, 0)
        let minimum = block.store(halfPrecision: line.minimum, 2)
        block.storeNibbles(4) {
            nearestLevel(input[$0], scale: scale, minimum: minimum, in: 0...15)
        }
    }
}
