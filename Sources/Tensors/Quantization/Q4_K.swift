/// 256 numbers of 4 bits in 8 groups with 6-bit scales and minima:
/// `x = (d · scale) · q − dmin · minimum`.
///
/// Layout, 144 bytes: fp16 d, fp16 dmin, 12 bytes of scales and minima (`GroupFactors`), 128 bytes
/// of q: each 32 bytes hold two groups, the first in the low nibbles and the second in the high.
enum Q4_K {
    /// Reads the eight 6-bit scales and minima that Q4_K and Q5_K pack into 12 bytes.
    ///
    /// Bytes 0…3 and 4…7 hold the scales and minima of groups 0…3 in their low six bits; bytes
    /// 8…11 hold the low nibbles of those of groups 4…7 (scale low, minimum high), whose upper two
    /// bits are the upper two of bytes 0…7.
    struct GroupFactors {
        let bytes: UnsafeRawPointer

        @inline(__always)
        func scale(_ group: Int) -> Float {
            if group < 4 { return Float(Int32(bytes.unsignedByte(group) & 63)) }
            let low = bytes.unsignedByte(group + 4) & 15
            return Float(Int32(low | (bytes.unsignedByte(group - 4) >> 6) << 4))
        }

        @inline(__always)
        func minimum(_ group: Int) -> Float {
            if group < 4 { return Float(Int32(bytes.unsignedByte(group + 4) & 63)) }
            let low = bytes.unsignedByte(group + 4) >> 4
            return Float(Int32(low | (bytes.unsignedByte(group) >> 6) << 4))
        }
    }

    /// Writes the 256 numbers of the block at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        let scale = block.halfPrecision(0)
        let minimum = block.halfPrecision(2)
        let factors = GroupFactors(bytes: block + 4)
        for group in 0..<8 {
            let groupScale = scale * factors.scale(group)
            let groupMinimum = minimum * factors.minimum(group)
            let source = 16 + group / 2 * 32
            let shift = UInt8(group % 2 * 4)
            for index in 0..<32 {
                let quant = block.unsignedByte(source + index) >> shift & 15
                output[group * 32 + index] = groupScale * Float(Int32(quant)) - groupMinimum
            }
        }
    }

    /// Writes the 256 numbers at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let fit = GroupFit<8>(input, size: 32, highest: 15, highestFactor: 63)
        let lines = storeFactors(fit, block)
        for offset in 16..<144 { block.store(unsignedByte: 0, offset) }
        for group in 0..<8 {
            let target = 16 + group / 2 * 32
            let shift = UInt8(group % 2 * 4)
            for index in 0..<32 {
                let level = nearestLevel(
                    input[group * 32 + index], scale: lines[group].scale,
                    minimum: lines[group].minimum, in: 0...15)
                block.merge(UInt8(level) << shift, target + index)
            }
        }
    }

    /// Writes the first 16 bytes of a block, the same in Q4_K and Q5_K, and returns the scale and
    /// minimum of each group as a reader will see them.
    static func storeFactors(
        _ fit: GroupFit<8>, _ block: UnsafeMutableRawPointer
    ) -> InlineArray<8, (scale: Float, minimum: Float)> {
        let scale = block.store(halfPrecision: fit.scale, 0)
        let minimum = block.store(halfPrecision: fit.minimum, 2)
        for offset in 4..<16 { block.store(unsignedByte: 0, offset) }
        return InlineArray { group in
            let scaleFactor = fit.scaleFactor(group, stored: scale, in: 0...63)
            let minimumFactor = fit.minimumFactor(group, stored: minimum, in: 0...63)
            store(UInt8(scaleFactor), UInt8(minimumFactor), group, block + 4)
            return (scale * Float(scaleFactor), -minimum * Float(minimumFactor))
        }
    }

    /// See `GroupFactors`.
    private static func store(
        _ scale: UInt8, _ minimum: UInt8, _ group: Int, _ bytes: UnsafeMutableRawPointer
    ) {
        if group < 4 {
            bytes.merge(scale, group)
            bytes.merge(minimum, group + 4)
        } else {
            bytes.merge(scale & 15 | minimum << 4, group + 4)
            bytes.merge((scale >> 4) << 6, group - 4)
            bytes.merge((minimum >> 4) << 6, group)
        }
    }
}
