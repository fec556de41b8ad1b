import Tensors

@testable import Wire

/// The scalar twin of the codecs: one value at a time, with the language's own conversions.
enum ActivationCodecReference {
    static func encode(_ matrix: Matrix, _ codec: ActivationCodec) -> [UInt8] {
        switch codec {
        case .fp32: matrix.values.flatMap { littleEndian($0.bitPattern) }
        case .fp16: matrix.values.flatMap { littleEndian(half($0).bitPattern) }
        case .int8: rows(matrix).flatMap(encodeRow)
        }
    }

    static func decode(
        _ bytes: [UInt8], _ codec: ActivationCodec, rows: Int, columns: Int
    ) -> Matrix {
        let values: [Float] =
            switch codec {
            case .fp32:
                (0..<(rows * columns)).map { Float(bitPattern: word(bytes, at: 4 * $0)) }
            case .fp16:
                (0..<(rows * columns)).map {
                    Float(
                        Float16(bitPattern: UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8))
                }
            case .int8:
                (0..<rows).flatMap { row in
                    let start = row * (columns + 4)
                    let scale = Float(bitPattern: word(bytes, at: start))
                    return (0..<columns).map {
                        Float(Int8(bitPattern: bytes[start + 4 + $0])) * scale
                    }
                }
            }
        return Matrix(rows: rows, columns: columns, values: values)
    }

    /// Round to nearest even; finite values saturate; every NaN becomes the plain quiet one.
    static func half(_ value: Float) -> Float16 {
        if value.isNaN { return Float16(sign: value.sign, exponent: 0, significand: .nan) }
        let half = Float16(value)
        guard half.isInfinite, value.isFinite else { return half }
        return value < 0 ? -Float16.greatestFiniteMagnitude : Float16.greatestFiniteMagnitude
    }

    private static func encodeRow(_ row: [Float]) -> [UInt8] {
        let largest = row.map(\.magnitude).max() ?? 0
        guard largest >= 127 * Float.leastNormalMagnitude else {
            return [UInt8](repeating: 0, count: row.count + 4)
        }
        let inverse = 127 / largest
        return littleEndian((largest / 127).bitPattern)
            + row.map { UInt8(bitPattern: Int8(($0 * inverse).rounded(.toNearestOrEven))) }
    }

    private static func rows(_ matrix: Matrix) -> [[Float]] {
        (0..<matrix.rows).map {
            Array(matrix.values[$0 * matrix.columns..<($0 + 1) * matrix.columns])
        }
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func word(_ bytes: [UInt8], at start: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
    }
}
