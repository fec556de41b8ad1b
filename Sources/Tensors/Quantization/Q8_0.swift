/// 32 signed bytes with one scale: `x = d · q`.
///
/// Layout, 34 bytes: fp16 d, 32 × int8 q.
enum Q8_0 {
    /// Writes the 32 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        for index in 0..<32 { output[index] = scale * Float(block.signedByte(2 + index)) }
    }

    /// Writes the 32 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        var largest: Float = 0
        for index in 0..<32 { largest = max(largest, input[index].magnitude) }
        let scale = block.store(halfPrecision: largest / 127, 0)
        for index in 0..<32 {
            let level = nearestLevel(input[index], scale: scale, in: -127...127)
            block.store(unsignedByte: UInt8(truncatingIfNeeded: level), 2 + index)
        }
    }
}
