import SystemModel

@testable import Tensors

extension SeededGenerator {
    /// A matrix of normally distributed numbers (sums of twelve uniform ones).
    mutating func matrix(rows: Int, columns: Int) -> Matrix {
        Matrix(rows: rows, columns: columns, values: numbers(rows * columns))
    }

    /// Normally distributed numbers.
    mutating func numbers(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            (0..<12).reduce(Float(-6)) { sum, _ in sum + Float.random(in: 0..<1, using: &self) }
        }
    }

    /// Weights of any bits that are finite numbers in `format`, one of those with a kernel.
    mutating func weights(rows: Int, columns: Int, format: BlockFormat) -> QuantizedMatrix {
        var bytes: [UInt8] = []
        for _ in 0..<rows * columns / format.elementsPerBlock {
            switch format {
            case .f32:
                let bits = numbers(1)[0].bitPattern
                bytes += (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
            case .f16, .bf16:
                bytes += halfPrecision()
            case .mxfp4:
                bytes.append(UInt8.random(in: 118...130, using: &self))
                bytes += (1..<17).map { _ in UInt8.random(in: 0...255, using: &self) }
            case .q4_K, .q5_K:
                bytes += halfPrecision() + halfPrecision()
                bytes += (4..<format.bytesPerBlock).map { _ in
                    UInt8.random(in: 0...255, using: &self)
                }
            case .q6_K:
                bytes += (0..<208).map { _ in UInt8.random(in: 0...255, using: &self) }
                bytes += halfPrecision()
            default:
                bytes += halfPrecision()
                bytes += (2..<format.bytesPerBlock).map { _ in
                    UInt8.random(in: 0...255, using: &self)
                }
            }
        }
        return QuantizedMatrix(
            rows: rows, columns: columns, format: format, bytes: WeightBytes(bytes))
    }

    /// Either sign, exponents that are moderate in binary16 and in bfloat16, any fraction.
    private mutating func halfPrecision() -> [UInt8] {
        let bits = UInt16.random(in: 0x3400...0x3fff, using: &self)
        return [UInt8(bits & 255), UInt8(bits >> 8) | (Bool.random(using: &self) ? 0x80 : 0)]
    }
}
