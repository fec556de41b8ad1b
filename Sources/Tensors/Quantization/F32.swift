/// IEEE 754 binary32, little-endian.
enum F32 {
    /// Writes the number at `block` to `output`.
    static func dequantizeBlock(_ block: UnsafeRawPointer, _ output: UnsafeMutablePointer<Float>) {
        output[0] = Float(bitPattern: block.unsignedLong(0))
    }

    /// Writes the number at `input` to the block at `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        block.store(unsignedLong: input[0].bitPattern, 0)
    }
}
