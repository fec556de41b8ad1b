/// The upper half of an fp32 number.
enum BF16 {
    /// The fp32 number equal to the bfloat16 number with these `bits` (exact).
    @inline(__always)
    static func float(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    /// Writes the number at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        output[0] = float(block.unsignedShort(0))
    }
}
