/// IEEE 754 binary16.
enum F16 {
    /// The fp32 number equal to the half-precision number with these `bits` (exact).
    @inline(__always)
    static func float(_ bits: UInt16) -> Float {
        let magnitude = UInt32(bits & 0x7fff) << 13
        // Rebias the exponent by multiplying: exact for normal and subnormal numbers alike.
        let scaled = Float(bitPattern: magnitude) * 0x1p112
        let special = magnitude >= 0x0f80_0000  // infinity and NaN
        let pattern = special ? magnitude | 0x7f80_0000 : scaled.bitPattern
        return Float(bitPattern: pattern | UInt32(bits & 0x8000) << 16)
    }

    /// Writes the number at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        output[0] = block.halfPrecision(0)
    }
}
