import Foundation
import Testing

@testable import Tensors

/// Pinned: every block format decodes random blocks to the numbers that the `gguf` Python package
/// makes of them (Tests/Fixtures/quants).
@Suite struct DequantizationTests {
    @Test(arguments: BlockFormat.allCases.filter { $0 != .f32 })
    func decodesAsGGUF(_ format: BlockFormat) throws {
        let blocks = try Data(contentsOf: fixture("\(format.name).blocks"))
        let expected = try Data(contentsOf: fixture("\(format.name).f32"))
        let count = expected.count / 4
        #expect(count >= 512)
        let matrix = QuantizedMatrix(
            rows: 1, columns: count, format: format, bytes: WeightBytes(Array(blocks)))
        let wanted = expected.withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
        let got = matrix.dequantizedRow(0)
        let wrong = (0..<count).filter { got[$0].bitPattern != wanted[$0].bitPattern }
        #expect(wrong.isEmpty, "\(format.name): \(wrong.prefix(4).map { (got[$0], wanted[$0]) })")
    }

    @Test(arguments: InstructionSet.available)
    func kernelsEqualTheirTwins(_ set: InstructionSet) throws {
        let kernels = try #require(Kernels(set))
        for format in BlockFormat.allCases where format != .f32 {
            let blocks = try Array(Data(contentsOf: fixture("\(format.name).blocks")))
            let count = blocks.count / format.bytesPerBlock * format.elementsPerBlock
            let matrix = QuantizedMatrix(
                rows: 1, columns: count, format: format, bytes: WeightBytes(blocks))
            var numbers = [Float](repeating: .nan, count: count)
            blocks.withUnsafeBytes { bytes in
                numbers.withUnsafeMutableBufferPointer {
                    kernels.dequantize(format, bytes, into: $0)
                }
            }
            let expected = matrix.dequantizedRow(0).map(\.bitPattern)
            #expect(numbers.map(\.bitPattern) == expected, "\(format.name)")
        }
    }

    private func fixture(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/quants/\(name)")
    }
}
