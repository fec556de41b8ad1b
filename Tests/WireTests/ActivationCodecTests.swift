import SystemModel
import Tensors
import Testing

@testable import Wire

/// Pinned: the bytes of every codec equal its scalar twin's, at every row length around the
/// vector width; the error bounds and what happens to values that a codec cannot carry.
struct ActivationCodecTests {
    @Test(arguments: ActivationCodec.allCases, 1...41)
    func bytesEqualTheScalarTwins(_ codec: ActivationCodec, columns: Int) throws {
        for seed in 0..<20 as Range<UInt64> {
            let matrix = Self.random(rows: 3, columns: columns, seed: seed)
            let bytes = try codec.encode(matrix)
            #expect(bytes == ActivationCodecReference.encode(matrix, codec), "seed \(seed)")
            #expect(bytes.count == codec.byteCount(rows: 3, columns: columns))
            let decoded = try codec.decode(bytes, rows: 3, columns: columns)
            let expected = ActivationCodecReference.decode(bytes, codec, rows: 3, columns: columns)
            #expect(decoded.values.map(\.bitPattern) == expected.values.map(\.bitPattern))
        }
    }

    @Test
    func fp32KeepsEveryBit() throws {
        let bits: [UInt32] = [
            0, 0x8000_0000, 1, 0x7F80_0000, 0xFF80_0000, 0x7FC0_1234, 0x7FA0_0001,
        ]
        let matrix = Matrix(rows: 1, columns: bits.count, values: bits.map(Float.init(bitPattern:)))
        let bytes = try ActivationCodec.fp32.encode(matrix)
        let decoded = try ActivationCodec.fp32.decode(bytes, rows: 1, columns: bits.count)
        #expect(decoded.values.map(\.bitPattern) == bits)
    }

    @Test
    func everyHalfDecodesAndEncodesBack() throws {
        let halves = (0...UInt16.max).map { $0 }
        let bytes = halves.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let decoded = try ActivationCodec.fp16.decode(bytes, rows: 256, columns: 256)
        let wrong = zip(halves, decoded.values).filter { half, value in
            let expected = Float(Float16(bitPattern: half))
            return value.bitPattern != expected.bitPattern && !(value.isNaN && expected.isNaN)
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
        let back = try ActivationCodec.fp16.encode(decoded)
        let changed = halves.filter { half in
            let index = Int(half) * 2
            let again = UInt16(back[index]) | UInt16(back[index + 1]) << 8
            return again != half && !Float16(bitPattern: half).isNaN
        }
        #expect(changed.isEmpty, "\(changed.prefix(5))")
    }

    /// Every exponent, and mantissas at and beside the points where rounding turns.
    @Test
    func halvesRoundToNearestEven() throws {
        let mantissas: [UInt32] = [
            0, 1, 0xFFF, 0x1000, 0x1001, 0x1FFF, 0x2000, 0x2FFF, 0x3000, 0x3001,
        ]
        var generator = SeededGenerator(seed: 1)
        let values = (0..<512).flatMap { top in
            (mantissas + (0..<200).map { _ in UInt32.random(in: 0..<(1 << 23), using: &generator) }
                + [0x7F_EFFF, 0x7F_F000, 0x7F_FFFF])
                .map { Float(bitPattern: UInt32(top) << 23 | $0) }
        }
        let matrix = Matrix(rows: 1, columns: values.count, values: values)
        let bytes = try ActivationCodec.fp16.encode(matrix)
        let wrong = values.enumerated().filter { index, value in
            let half = Float16(
                bitPattern: UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8)
            let expected = ActivationCodecReference.half(value)
            return half.bitPattern != expected.bitPattern && !(half.isNaN && expected.isNaN)
        }
        #expect(wrong.isEmpty, "seed 1: \(wrong.prefix(5))")
    }

    @Test
    func fp16SaturatesFiniteValuesAndKeepsInfinities() throws {
        let values: [Float] = [65_504, 65_519, 65_520, 1e9, -1e9, .infinity, -.infinity, .nan]
        let matrix = Matrix(rows: 1, columns: 8, values: values)
        let decoded = try ActivationCodec.fp16.decode(
            try ActivationCodec.fp16.encode(matrix), rows: 1, columns: 8
        ).values
        #expect(decoded[..<5] == [65_504, 65_504, 65_504, 65_504, -65_504])
        #expect(decoded[5] == .infinity && decoded[6] == -.infinity && decoded[7].isNaN)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func errorsStayWithinTheirBounds(seed: UInt64) throws {
        let matrix = Self.random(rows: 4, columns: 67, seed: seed)
        let half = try Self.roundTrip(matrix, .fp16)
        let int8 = try Self.roundTrip(matrix, .int8)
        for row in 0..<4 {
            let range = row * 67..<(row + 1) * 67
            let largest = matrix.values[range].map(\.magnitude).max() ?? 0
            for index in range {
                let value = matrix.values[index]
                let bound = max(value.magnitude / 2048, 1 / Float(1 << 25))
                #expect((half[index] - value).magnitude <= bound, "seed \(seed)")
                let int8Bound = largest / 254 * 1.00001
                #expect((int8[index] - value).magnitude <= int8Bound, "seed \(seed)")
            }
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity], 0..<19)
    func int8RefusesARowThatIsNotFinite(value: Float, column: Int) {
        var matrix = Matrix(rows: 2, columns: 19)
        matrix.values[19 + column] = value
        let error = #expect(throws: WireError.self) { try ActivationCodec.int8.encode(matrix) }
        #expect(error?.code == .nonFinite)
        #expect(error?.message.contains("row 1") == true)
    }

    @Test
    func int8OfTinyAndHugeRows() throws {
        let tiny = Float.leastNonzeroMagnitude
        let huge = Float.greatestFiniteMagnitude
        let matrix = Matrix(
            rows: 4, columns: 2, values: [0, -0.0, tiny, -tiny, huge, -huge, 1e-35, -5e-36])
        let decoded = try Self.roundTrip(matrix, .int8)
        #expect(decoded[..<4].allSatisfy { $0 == 0 })
        #expect(decoded[4] > 0.99 * huge && decoded[5] < -0.99 * huge)
        #expect((decoded[6] - 1e-35).magnitude < 1e-37 && (decoded[7] + 5e-36).magnitude < 1e-37)
    }

    @Test(arguments: [Float.nan, .infinity, -1])
    func int8RefusesAScaleThatCannotBe(scale: Float) {
        let bytes =
            (0..<4).map { UInt8(truncatingIfNeeded: scale.bitPattern >> (8 * $0)) } + [1, 2]
        let error = #expect(throws: WireError.self) {
            try ActivationCodec.int8.decode(bytes, rows: 1, columns: 2)
        }
        #expect(error?.code == .invalid)
    }

    @Test(arguments: ActivationCodec.allCases)
    func aWrongNumberOfBytesIsRefused(_ codec: ActivationCodec) {
        let right = codec.byteCount(rows: 2, columns: 3)
        for count in [0, right - 1, right + 1] {
            let bytes = [UInt8](repeating: 0, count: count)
            let error = #expect(throws: WireError.self) {
                try codec.decode(bytes, rows: 2, columns: 3)
            }
            #expect(error?.code == .truncated)
        }
    }

    /// Reports the speed on 1 MiB of fp32; wall time is printed, never asserted.
    @Test(arguments: ActivationCodec.allCases)
    func speed(_ codec: ActivationCodec) throws {
        let matrix = Self.random(rows: 64, columns: 4096, seed: 7)
        let clock = ContinuousClock()
        var (encoding, decoding) = (Duration.seconds(1), Duration.seconds(1))
        for _ in 0..<20 {
            var bytes: [UInt8] = []
            encoding = min(encoding, try clock.measure { bytes = try codec.encode(matrix) })
            var decoded = Matrix(rows: 1, columns: 1)
            decoding = min(
                decoding,
                try clock.measure { decoded = try codec.decode(bytes, rows: 64, columns: 4096) })
            #expect(decoded.rows == 64)
        }
        print("\(codec) of 1 MiB: encode \(encoding), decode \(decoding)")
    }

    private static func roundTrip(_ matrix: Matrix, _ codec: ActivationCodec) throws -> [Float] {
        let bytes = try codec.encode(matrix)
        return try codec.decode(bytes, rows: matrix.rows, columns: matrix.columns).values
    }

    /// Values over many magnitudes, as activations with outliers have.
    static func random(rows: Int, columns: Int, seed: UInt64) -> Matrix {
        var generator = SeededGenerator(seed: seed)
        let values = (0..<(rows * columns)).map { _ in
            Float.random(in: -1...1, using: &generator)
                * Float(
                    sign: .plus, exponent: Int.random(in: -20...14, using: &generator),
                    significand: 1)
        }
        return Matrix(rows: rows, columns: columns, values: values)
    }
}
