import Foundation
import SystemModel
import Testing

@testable import Tensors

/// Pinned: the row kernels of every instruction set have the bits of their slow twins, for every
/// length of the last, incomplete vector; and they are close to the exact functions.
@Suite struct RowKernelTests {
    static let counts = Array(1...70) + [128, 2048]

    @Test(arguments: InstructionSet.available)
    func kernelsEqualTheirTwins(_ set: InstructionSet) throws {
        let kernels = try #require(Kernels(set))
        for count in Self.counts {
            var random = SeededGenerator(seed: UInt64(count))
            let x = random.matrix(rows: 3, columns: count)
            let y = random.matrix(rows: 3, columns: count)
            #expect(dot(x, y, kernels.dot) == dot(x, y, Reference.dot), "dot, seed \(count)")
            let sum = addScaled(x, y, kernels.addScaledFused)
            #expect(bits(sum) == bits(addScaled(x, y, Reference.addScaledFused)), "seed \(count)")
            let gated = kernels.swiGLU(gate: x, up: y)
            #expect(bits(gated) == bits(Reference.swiGLU(gate: x, up: y)), "seed \(count)")
            let norm = kernels.rootMeanSquareNormalized(x, weight: Array(y.row(0)), epsilon: 1e-5)
            let expected = Reference.rootMeanSquareNormalized(
                x, weight: Array(y.row(0)), epsilon: 1e-5)
            #expect(bits(norm) == bits(expected), "RMSNorm, seed \(count)")
            let likely = softmax(x, kernels.softmax)
            #expect(bits(likely) == bits(softmax(x, Reference.softmax)), "softmax, seed \(count)")
        }
    }

    @Test(arguments: InstructionSet.available)
    func quantizationEqualsItsTwin(_ set: InstructionSet) throws {
        let kernels = try #require(Kernels(set))
        var random = SeededGenerator(seed: 5)
        var matrix = random.matrix(rows: 3, columns: 320)
        for column in 0..<32 {
            matrix[0, column] = 0
            matrix[1, column] *= 0x1p-125
            matrix[2, column] *= 0x1p+120
            // Halfway between two integers, where ties go to the even one.
            matrix[2, 32 + column] = column == 0 ? 127 : Float(column) - 0.5
        }
        let expected = Reference.quantize(matrix)
        #expect(kernels.quantize(matrix) == expected, "seed 5")
        #expect(expected.quants.contains(-127) && expected.quants.contains(127))
        #expect(expected.quants[640 + 32..<640 + 36] == [127, 0, 2, 2])
    }

    @Test func exponentialIsWithinOneUnitInTheLastPlace() {
        var worst = 0.0
        for x in stride(from: Float(-87), through: 88.5, by: 0.000_37) {
            let exact = Foundation.exp(Double(x))
            worst = max(worst, abs(Double(Reference.exp(x)) - exact) / Double(Float(exact).ulp))
        }
        #expect(worst > 0.4 && worst < 1, "\(worst) ulp")
    }

    @Test func exponentialAtTheEndsOfTheRange() {
        #expect(Reference.exp(0) == 1 && Reference.exp(-0.0) == 1)
        #expect(Reference.exp(-.infinity) == 0 && Reference.exp(-104) == 0)
        #expect(Reference.exp(.infinity) == .infinity && Reference.exp(88.73) == .infinity)
        #expect(Reference.exp(88.72).isFinite)
        #expect(Reference.exp(.nan).isNaN)
        for x in stride(from: Float(-103), to: -87, by: 0.01) {  // subnormal results
            let exact = Foundation.exp(Double(x))
            #expect(abs(Double(Reference.exp(x)) - exact) <= Double(Float.leastNonzeroMagnitude))
        }
    }

    @Test(arguments: InstructionSet.available)
    func kernelsEqualTheirTwinsAtTheEndsOfTheRange(_ set: InstructionSet) throws {
        let kernels = try #require(Kernels(set))
        let ends: [Float] = [
            0, -0.0, 0x1p-133, -0x1p-133, 87, -87, 88.73, -88.73, 103.9, -103.9, 200, -200, 3e38,
            -3e38,
            .infinity, -.infinity, .nan,
        ]
        let gate = Matrix(rows: 1, columns: ends.count, values: ends)
        let up = Matrix(rows: 1, columns: ends.count, values: ends.map { _ in 2 })
        let result = kernels.swiGLU(gate: gate, up: up)
        for (got, wanted) in zip(result.values, Reference.swiGLU(gate: gate, up: up).values) {
            #expect(got.bitPattern == wanted.bitPattern || got.isNaN && wanted.isNaN)
        }
        let row = Matrix(rows: 1, columns: 5, values: [-.infinity, 0, 3e38, -3e38, 3e38])
        #expect(softmax(row, kernels.softmax).values == [0, 0, 0.5, 0, 0.5])
    }

    @Test func softmaxSumsToOne() {
        for count in Self.counts {
            var random = SeededGenerator(seed: UInt64(count))
            let row = random.matrix(rows: 1, columns: count)
            let exact = row.values.map { Foundation.exp(Double($0)) }
            let total = exact.reduce(0, +)
            let result = softmax(row, Tensors.softmax)
            let sum = result.values.reduce(0.0) { $0 + Double($1) }
            #expect(abs(sum - 1) < 1e-6, "seed \(count)")
            for (got, wanted) in zip(result.values, exact) {
                #expect(abs(Double(got) * total / wanted - 1) < 1e-5, "seed \(count)")
            }
        }
        Tensors.softmax(UnsafeMutableBufferPointer(start: nil, count: 0))
    }

    @Test func normIsCloseToTheExactNorm() {
        var random = SeededGenerator(seed: 9)
        let x = random.matrix(rows: 2, columns: 500)
        let weight = random.numbers(500)
        let result = rootMeanSquareNormalized(x, weight: weight, epsilon: 1e-6)
        for row in 0..<2 {
            let squares = x.row(row).reduce(0.0) { $0 + Double($1) * Double($1) }
            let scale = 1 / (squares / 500 + 1e-6).squareRoot()
            for column in 0..<500 {
                let exact = Double(x[row, column]) * scale * Double(weight[column])
                #expect(abs(Double(result[row, column]) - exact) <= abs(exact) * 1e-6, "seed 9")
            }
        }
    }

    private typealias Dot = (UnsafePointer<Float>, UnsafePointer<Float>, Int) -> Float

    private func dot(_ x: Matrix, _ y: Matrix, _ kernel: Dot) -> UInt32 {
        kernel(x.values, y.values, x.values.count).bitPattern
    }

    private typealias AddScaled = (
        UnsafeMutablePointer<Float>, Float, UnsafePointer<Float>, Int
    ) -> Void

    private func addScaled(_ x: Matrix, _ y: Matrix, _ kernel: AddScaled) -> Matrix {
        var out = x
        kernel(&out.values, 0.3, y.values, x.values.count)
        return out
    }

    /// The softmax of the first row.
    private func softmax(
        _ x: Matrix, _ kernel: (UnsafeMutableBufferPointer<Float>) -> Void
    ) -> Matrix {
        var row = x.gatheringRows([0])
        row.values.withUnsafeMutableBufferPointer { kernel($0) }
        return row
    }
}
