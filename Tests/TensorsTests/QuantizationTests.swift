import Foundation
import SystemModel
import Testing

@testable import Tensors

/// Pinned: how much of normally distributed numbers each format loses, and what it keeps exactly.
@Suite struct QuantizationTests {
    /// Root-mean-square error relative to the numbers' own, at most; measured + 3 %.
    static let errors: [(BlockFormat, Float)] = [
        (.f32, 0), (.f16, 0.000_21), (.bf16, 0.001_7), (.q8_0, 0.005_3), (.q6_K, 0.017_5),
        (.q5_K, 0.036_1), (.q5_1, 0.034_3), (.q5_0, 0.040_2), (.q4_K, 0.071_8), (.q4_1, 0.070_6),
        (.q4_0, 0.081_8), (.q3_K, 0.144_5), (.q2_K, 0.279_1),
    ]

    @Test(arguments: errors)
    func losesLittle(_ format: BlockFormat, _ bound: Float) {
        var random = SeededGenerator(seed: 1)
        let numbers = random.numbers(32 * 256)
        let stored = roundTrip(numbers, format)
        let error = rootMeanSquare(zip(numbers, stored).map { $0 - $1 }) / rootMeanSquare(numbers)
        #expect(error <= bound, "\(format.name), seed 1")
        #expect(error >= bound * 0.9, "\(format.name) is better than its bound: lower it")
    }

    @Test func everyWritableFormatHasABound() {
        #expect(Set(Self.errors.map(\.0)) == Set(BlockFormat.allCases.filter(\.isWritable)))
    }

    /// Numbers that the format can hold stay what they are: the levels of one scale, with the
    /// extreme one among them.
    @Test(arguments: [
        (BlockFormat.q8_0, -127...127), (.q4_0, -8...7), (.q5_0, -16...15), (.q4_1, 0...15),
        (.q5_1, 0...31),
    ])
    func numbersOnTheGridStay(_ format: BlockFormat, _ levels: ClosedRange<Int>) {
        var random = SeededGenerator(seed: 2)
        for scale: Float in [0.25, 0.001953125 * 1.375, 3] {
            var numbers = (0..<512).map { _ in
                scale * Float(Int.random(in: levels, using: &random))
            }
            for block in 0..<16 {
                numbers[block * 32] = scale * Float(levels.lowerBound)
                numbers[block * 32 + 9] = scale * Float(levels.upperBound)
            }
            #expect(roundTrip(numbers, format) == numbers, "\(format.name), seed 2")
        }
    }

    @Test(arguments: BlockFormat.allCases.filter(\.isWritable))
    func keepsZerosAndConstants(_ format: BlockFormat) {
        #expect(roundTrip(Array(repeating: 0, count: 512), format).allSatisfy { $0 == 0 })
        for constant: Float in [1, -1, 0.0078125, -96, 65504, -65504] {
            let stored = roundTrip(Array(repeating: constant, count: 512), format)
            #expect(
                stored.allSatisfy { abs($0 - constant) <= abs(constant) * 0.07 },
                "\(format.name) \(constant) \(stored[0])")
        }
        for constant in [Float.leastNonzeroMagnitude, -1e-30, 0x1p-24] {
            let stored = roundTrip(Array(repeating: constant, count: 512), format)
            #expect(stored.allSatisfy { abs($0) <= abs(constant) * 1.07 }, "\(constant)")
        }
    }

    @Test func scalarFormatsTakeEveryNumber() {
        let numbers: [Float] = [.infinity, -.infinity, 1e30, -1e30, .nan]
        #expect(
            roundTrip(numbers, .f16).prefix(4) == [.infinity, -.infinity, .infinity, -.infinity])
        #expect(roundTrip(numbers, .bf16).prefix(2) == [.infinity, -.infinity])
        for format in [BlockFormat.f16, .bf16, .f32] {
            #expect(roundTrip(numbers, format)[4].isNaN)
        }
        let ends: [UInt32] = [0x7f80_0001, 0xffff_ffff, 0x7f7f_ffff]
        let stored = roundTrip(ends.map(Float.init(bitPattern:)), .bf16)
        #expect(stored[0].isNaN && stored[1].isNaN && stored[2] == .infinity)
    }

    @Test func halfPrecisionIsRoundedToTheNearest() {
        for bits in UInt16(0)...0x7bff {
            let number = F16.float(bits)
            let next = F16.float(bits + 1)
            #expect(F16.bits(number) == bits && F16.bits(-number) == bits | 0x8000)
            guard next.isFinite else { continue }
            let middle = (number + next) / 2
            #expect(F16.bits(middle) == bits + bits % 2)
            #expect(F16.bits(middle.nextUp) == bits + 1 && F16.bits(middle.nextDown) == bits)
        }
        #expect(F16.bits(65519.996) == 0x7bff && F16.bits(65520) == 0x7c00)
        #expect(F16.bits(-.infinity) == 0xfc00)
    }

    /// llama.cpp's own bar for its quantisers (tests/test-quantize-fns.cpp): √(Σ error²) / n over
    /// 0.1 + 2 cos i for i < 4096 below 0.002, 0.004 with three bits and 0.0075 with two.
    @Test(arguments: [
        (BlockFormat.q4_0, Float(0.002)), (.q4_1, 0.002), (.q5_0, 0.002), (.q5_1, 0.002),
        (.q8_0, 0.002),
        (.q4_K, 0.002), (.q5_K, 0.002), (.q6_K, 0.002), (.q3_K, 0.004), (.q2_K, 0.0075),
    ])
    func passesTheBarOfLlamaCpp(_ format: BlockFormat, _ bar: Float) {
        let numbers = (0..<4096).map { 0.1 + 2 * Float(cos(Double($0))) }
        let stored = roundTrip(numbers, format)
        let squares = zip(numbers, stored).reduce(Float(0)) { sum, pair in
            sum + (pair.0 - pair.1) * (pair.0 - pair.1)
        }
        #expect(squares.squareRoot() / 4096 < bar, "\(format.name)")
    }

    private func roundTrip(_ numbers: [Float], _ format: BlockFormat) -> [Float] {
        var bytes = [UInt8](repeating: 0xa5, count: format.byteCount(elements: numbers.count))
        numbers.withUnsafeBufferPointer { input in
            bytes.withUnsafeMutableBytes { format.quantize(input, into: $0) }
        }
        return QuantizedMatrix(
            rows: 1, columns: numbers.count, format: format, bytes: WeightBytes(bytes)
        ).dequantizedRow(0)
    }

    private func rootMeanSquare(_ numbers: [Float]) -> Float {
        (numbers.reduce(0) { $0 + $1 * $1 } / Float(numbers.count)).squareRoot()
    }
}
