package import Tensors

/// How activations travel: exactly, or in half or a quarter of the bytes.
///
/// | codec | bytes per row of `h` | error | not finite |
/// | --- | --- | --- | --- |
/// | fp32 | 4·h | none: every bit survives | survives |
/// | fp16 | 2·h | ≤ 2⁻¹¹ relative, ≤ 2⁻²⁵ absolute below 2⁻¹⁴ | survives (NaN without payload) |
/// | int8 | 4 + h | ≤ amax/254 of the row's largest magnitude | the row is refused |
///
/// fp16: a finite value beyond ±65504 becomes ±65504, since one such activation should cost
/// accuracy, not the whole token. int8: a row travels as a scale (fp32, amax/127) and `h`
/// integers, rounded to nearest even; a row whose amax is under 1.5 × 10⁻³⁶ becomes zeros.
package enum ActivationCodec: String, Codable, CaseIterable, Sendable {
    /// IEEE 754 binary32.
    case fp32
    /// IEEE 754 binary16.
    case fp16
    /// Signed integers with one fp32 scale per row.
    case int8

    /// The codec's number in binary messages.
    var wireCode: UInt8 {
        switch self {
        case .fp32: 0
        case .fp16: 1
        case .int8: 2
        }
    }

    init(wireCode: UInt8, of message: String) throws(WireError) {
        guard let codec = Self.allCases.first(where: { $0.wireCode == wireCode }) else {
            throw WireError(.invalid, "\(message): codec is \(wireCode), which does not exist")
        }
        self = codec
    }

    /// Bytes that `[rows × columns]` activations take.
    package func byteCount(rows: Int, columns: Int) -> Int {
        switch self {
        case .fp32: rows * columns * 4
        case .fp16: rows * columns * 2
        case .int8: rows * (columns + 4)
        }
    }

    /// Encodes `[rows × columns]`, row by row, little-endian.
    ///
    /// - Throws: `nonFinite` for int8 when a row holds an infinity or a NaN.
    /// - Complexity: O(rows × columns), vectorised; well under 1 ms for 1 MiB of fp32.
    package func encode(_ matrix: Matrix) throws(WireError) -> [UInt8] {
        var writer = ByteWriter(count: byteCount(rows: matrix.rows, columns: matrix.columns))
        try encode(matrix, to: &writer)
        return writer.finish()
    }

    /// Decodes what `encode` made of a matrix of the same shape.
    ///
    /// - Throws: `truncated` when the bytes are not exactly as many as the shape needs, `invalid`
    ///   for an int8 scale that is negative or not finite.
    /// - Complexity: O(rows × columns), vectorised.
    package func decode(
        _ bytes: [UInt8], rows: Int, columns: Int
    ) throws(WireError) -> Matrix {
        var reader = ByteReader(bytes, of: "activations")
        try reader.requireRemaining(byteCount(rows: rows, columns: columns))
        return try decode(from: &reader, rows: rows, columns: columns)
    }

    func encode(_ matrix: Matrix, to writer: inout ByteWriter) throws(WireError) {
        let byteCount = byteCount(rows: matrix.rows, columns: matrix.columns)
        try writer.write(count: byteCount) { (target) throws(WireError) in
            try matrix.values.withUnsafeBufferPointer { (values) throws(WireError) in
                try encode(values, columns: matrix.columns, to: target)
            }
        }
    }

    /// The caller has checked that the reader holds enough bytes.
    func decode(
        from reader: inout ByteReader, rows: Int, columns: Int
    ) throws(WireError) -> Matrix {
        var values = [Float](repeating: 0, count: rows * columns)
        let byteCount = byteCount(rows: rows, columns: columns)
        try reader.read(count: byteCount) { (source) throws(WireError) in
            try values.withUnsafeMutableBufferPointer { (target) throws(WireError) in
                try decode(source, columns: columns, to: target)
            }
        }
        return Matrix(rows: rows, columns: columns, values: values)
    }
}
