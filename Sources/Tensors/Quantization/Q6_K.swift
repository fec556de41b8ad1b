/// 256 numbers of 6 bits in 16 groups with 8-bit scales: `x = (d · scale) · (q − 32)`.
///
/// Layout, 210 bytes: 128 bytes of low nibbles, 64 bytes of upper two bits, 16 × int8 scales,
/// fp16 d. Each half of 128 elements has 64 bytes of nibbles: elements 0…63 in the low ones,
/// 64…127 in the high ones; and 32 bytes of upper bits: element 32·j + i in bits 2j and 2j+1 of
/// byte i.
enum Q6_K {
    /// Where the bits of a group's sixteen elements are.
    private struct Place {
        let low: Int
        let lowShift: UInt8
        let high: Int
        let highShift: UInt8

        @inline(__always)
        init(_ group: Int) {
            let half = group / 8
            let start = group % 8 * 16
            low = half * 64 + start % 64
            lowShift = UInt8(start / 64 * 4)
            high = 128 + half * 32 + start % 32
            highShift = UInt8(start / 32 * 2)
        }
    }

    /// Writes the 256 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(208)
        for group in 0..<16 {
            let groupScale = scale * Float(block.signedByte(192 + group))
            let place = Place(group)
            for index in 0..<16 {
                let low = block.unsignedByte(place.low + index) >> place.lowShift & 15
                let high = block.unsignedByte(place.high + index) >> place.highShift & 3
                let quant = Int32(low | high << 4) - 32
                output[group * 16 + index] = groupScale * Float(quant)
            }
        }
    }

    /// Writes the 256 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let fit = GroupFit<16>(input, size: 16, lowest: -32, lowestFactor: -128)
        let scale = block.store(halfPrecision: fit.scale, 208)
        for offset in 0..<192 { block.store(unsignedByte: 0, offset) }
        for group in 0..<16 {
            let factor = fit.scaleFactor(group, stored: scale, in: -128...127)
            block.store(unsignedByte: UInt8(truncatingIfNeeded: factor), 192 + group)
            let place = Place(group)
            for index in 0..<16 {
                let level = nearestLevel(
                    input[group * 16 + index], scale: scale * Float(factor), in: -32...31)
                let bits = UInt8(truncatingIfNeeded: level + 32)
                block.merge((bits & 15) << place.lowShift, place.low + index)
                block.merge((bits >> 4) << place.highShift, place.high + index)
            }
        }
    }
}
