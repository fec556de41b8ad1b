/// The upper half of an fp32 number.
enum BF16 {
    /// The fp32 number equal to the bfloat16 number with these `bits` (exact).
    @inline(__always)
    static func float(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    /// Writes the number at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        output[0] = float(block.unsignedShort(0))
    }

    /// Writes the bfloat16 number nearest to the number at `input` to `block`, ties to even.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        let bits = input[0].bitPattern
        let isNaN = input[0].isNaN  // rounding might carry it to infinity or beyond 32 bits
        let rounded = isNaN ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16
        block.store(unsignedShort: UInt16(truncatingIfNeeded: rounded), 0)
    }
}
