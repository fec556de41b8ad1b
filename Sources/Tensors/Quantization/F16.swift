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

    /// The half-precision number nearest to `value`, ties to even; infinity from 65520 on.
    static func bits(_ value: Float) -> UInt16 {
        let sign = UInt16(value.bitPattern >> 16 & 0x8000)
        let magnitude = value.magnitude
        if magnitude.isNaN { return sign | 0x7e00 }
        if magnitude >= 65520 { return sign | 0x7c00 }
        // Adding 2^13 times the power of two of the number leaves just the ten bits that fit, and
        // rounds to even; subnormal numbers all have the spacing of the smallest normal ones.
        let exponent = max(Int(magnitude.bitPattern >> 23) - 127, -14)
        let rounder = Float(sign: .plus, exponent: exponent + 13, significand: 1)
        let rounded = (magnitude + rounder) - rounder
        let halved = rounded * 0x1p-112  // rebias: the exponent's five bits are then in place
        return sign | UInt16(truncatingIfNeeded: halved.bitPattern >> 13)
    }

    /// Writes the half-precision number nearest to the number at `input` to `block`.
    static func quantizeBlock(_ input: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
        block.store(unsignedShort: bits(input[0]), 0)
    }
}
