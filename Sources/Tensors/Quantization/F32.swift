/// IEEE 754 binary32, little-endian.
enum F32 {
    /// Writes the number at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        output[0] = Float(bitPattern: block.unsignedLong(0))
    }
}
