/// What cached keys and values are stored as.
package enum KeyValuePrecision: String, Sendable, CaseIterable {
    /// fp32: 4 bytes a number.
    case f32
    /// fp16, to the nearest and at most ±65504: 2 bytes a number.
    case f16
    /// Blocks of 32 signed bytes with an fp32 scale each: 1.125 bytes a number.
    case q8_0
}
