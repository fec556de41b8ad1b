import SystemModel
import Testing

@testable import Tensors

/// Pinned: the products of every instruction set of this machine have the bits of the slow twin,
/// for every shape and number of inputs; and they are close to the exact product.
@Suite struct ProductTests {
    static let formats: [BlockFormat] = [
        .f32, .f16, .bf16, .q8_0, .q4_0, .q4_K, .q5_K, .q6_K, .mxfp4,
    ]

    @Test func everyMachineHasKernels() throws {
        #expect(InstructionSet.available.first == .portable)
        #expect(InstructionSet.available.contains(InstructionSet.detected))
    }

    @Test(arguments: formats)
    func kernelsEqualTheirTwin(_ format: BlockFormat) throws {
        for (columns, rows) in Self.shapes(format) {
            for tokens in columns < 1024 ? [1, 2, 3, 7] : [1, 4, 5, 20] {
                try compare(format, rows: rows, columns: columns, tokens: tokens)
            }
        }
    }

    /// Columns and rows: every remainder of a tile, and more blocks than a panel holds.
    private static func shapes(_ format: BlockFormat) -> [(Int, Int)] {
        switch format.elementsPerBlock {
        case 1:
            (Array(1...70) + [2048]).flatMap { columns in [1, 3, 4, 9, 37].map { (columns, $0) } }
        case 32:
            [32, 96].flatMap { columns in (1...40).map { (columns, $0) } }
                + [(1024, 37), (1056, 70), (2112, 33)]
        default: (1...40).map { (256, $0) } + [(1024, 37), (1280, 70), (2304, 33)]
        }
    }

    @Test(arguments: [BlockFormat.q3_K, .q5_0, .iq4_NL, .q5_1])
    func otherFormatsAreMultipliedAsFP32(_ format: BlockFormat) throws {
        let (columns, rows, seed) = (512, 21, UInt64(7))
        var random = SeededGenerator(seed: seed)
        // Small bytes: every field of every format is then a finite number.
        let bytes = (0..<rows * format.byteCount(elements: columns)).map { _ in
            UInt8.random(in: 0...0x7b, using: &random)
        }
        let weights = QuantizedMatrix(
            rows: rows, columns: columns, format: format, bytes: WeightBytes(bytes))
        let inputs = Activations(random.matrix(rows: 3, columns: columns))
        let expected = Reference.product(weights, inputs)
        #expect(expected.values.allSatisfy { $0.isFinite && $0 != 0 })
        for set in InstructionSet.available {
            let product = try #require(Kernels(set)).product(weights, inputs)
            #expect(bits(product) == bits(expected), "\(set) \(format.name), seed \(seed)")
        }
    }

    @Test(arguments: formats)
    func isCloseToTheExactProduct(_ format: BlockFormat) {
        let (rows, columns, seed) = (24, 512, UInt64(11))
        var random = SeededGenerator(seed: seed)
        let weights = random.weights(rows: rows, columns: columns, format: format)
        let inputs = Activations(random.matrix(rows: 2, columns: columns))
        let result = product(weights, inputs)
        for row in 0..<rows {
            let numbers = weights.dequantizedRow(row)
            for token in 0..<2 {
                let (exact, bound) = exactProduct(numbers, inputs, token, format)
                let error = abs(Double(result[token, row]) - exact)
                #expect(error <= bound, "\(format.name) \(row) \(token): \(error), seed \(seed)")
            }
        }
    }

    @Test(arguments: InstructionSet.available)
    func notANumberStaysVisible(_ set: InstructionSet) throws {
        var random = SeededGenerator(seed: 3)
        let kernels = try #require(Kernels(set))
        for poison in [Float.nan, -.nan, .infinity, -.infinity] {
            var matrix = random.matrix(rows: 2, columns: 256)
            matrix[1, 40] = poison
            let inputs = Activations(matrix, using: kernels)
            for format in Self.formats {
                let weights = random.weights(rows: 5, columns: 256, format: format)
                let product = kernels.product(weights, inputs)
                #expect(product.row(0).allSatisfy { $0.isFinite })
                #expect(product.row(1).allSatisfy { !$0.isFinite })
            }
        }
    }

    /// Rows of a packed matrix keep the whole panels that they start with.
    @Test(arguments: [0..<48, 16..<40, 32..<33, 8..<40, 48..<50, 50..<50])
    func partsOfPackedMatrices(_ rows: Range<Int>) throws {
        var random = SeededGenerator(seed: 5)
        let weights = random.weights(rows: 50, columns: 256, format: .q4_K)
        let packed = try weights.copied(into: HugePages())
        let inputs = Activations(random.matrix(rows: 2, columns: 256))
        let part = packed.rows(rows)
        #expect(part.packedRows == (rows.lowerBound % 16 == 0 ? rows.count / 16 * 16 : 0))
        #expect(product(part, inputs) == product(weights.rows(rows), inputs))
    }

    @Test func emptyProducts() {
        let none = QuantizedMatrix(Matrix(rows: 0, columns: 4))
        #expect(product(none, Activations(Matrix(rows: 2, columns: 4))).values.isEmpty)
        let some = QuantizedMatrix(Matrix(rows: 3, columns: 4))
        #expect(product(some, Activations(Matrix(rows: 0, columns: 4))).values.isEmpty)
        let narrow = QuantizedMatrix(Matrix(rows: 3, columns: 0))
        #expect(product(narrow, Activations(Matrix(rows: 1, columns: 0))).values == [0, 0, 0])
    }

    private func compare(_ format: BlockFormat, rows: Int, columns: Int, tokens: Int) throws {
        let seed = UInt64(rows * 1_000_000 + columns * 100 + tokens)
        var random = SeededGenerator(seed: seed)
        let weights = random.weights(rows: rows, columns: columns, format: format)
        let matrix = random.matrix(rows: tokens, columns: columns)
        let packed = try weights.copied(into: HugePages())
        #expect(packed.packedRows == (format.packedHeadBytes == nil ? 0 : rows / 16 * 16))
        let expected = Reference.product(weights, Activations(matrix))
        #expect(expected.values.contains { $0 != 0 })
        for set in InstructionSet.available {
            let kernels = try #require(Kernels(set))
            let inputs = Activations(matrix, using: kernels)
            let shape = "\(set) \(format.name) \(rows) × \(columns) × \(tokens), seed \(seed)"
            #expect(bits(kernels.product(weights, inputs)) == bits(expected), "\(shape)")
            #expect(bits(kernels.product(packed, inputs)) == bits(expected), "\(shape), packed")
            let last = Activations(matrix.gatheringRows([tokens - 1]), using: kernels)
            let single = kernels.product(weights, last)
            #expect(bits(single)[...] == bits(expected).suffix(rows), "\(shape), one row")
        }
    }

    /// The product in fp64, and how far fp32 may be from it: half an ulp per addition, plus, for
    /// integer products, half a step of the inputs' scale per column.
    private func exactProduct(
        _ numbers: [Float], _ inputs: Activations, _ token: Int, _ format: BlockFormat
    ) -> (exact: Double, bound: Double) {
        var (sum, magnitude, steps) = (0.0, 0.0, 0.0)
        for (column, weight) in numbers.enumerated() {
            let term = Double(weight) * Double(inputs.matrix[token, column])
            sum += term
            magnitude += abs(term)
            let block = (token * inputs.columns + column) / 32
            steps += abs(Double(weight)) * Double(inputs.quantized.scales[block]) / 2
        }
        let rounding = Double(numbers.count) * 0x1p-24 * (magnitude + steps)
        let quantized = format.elementsPerBlock > 1
        return (sum, rounding + (quantized ? steps : 0))
    }
}

/// The bits of every element: unlike ==, tells 0 from −0 and is true for NaN.
func bits(_ matrix: Matrix) -> [UInt32] { matrix.values.map(\.bitPattern) }
