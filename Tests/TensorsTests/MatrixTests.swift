import Testing

@testable import Tensors

/// Pinned: how matrices and views of weights are laid out and cut, and that scaled rows are added
/// with two roundings.
@Suite struct MatrixTests {
    private let matrix = Matrix(rows: 3, columns: 2, values: [1, 2, 3, 4, 5, 6])

    @Test func isRowMajor() {
        #expect(matrix[1, 0] == 3 && matrix[2, 1] == 6)
        #expect(matrix.row(1) == [3, 4])
        #expect(matrix.gatheringRows([2, 0, 2]).values == [5, 6, 1, 2, 5, 6])
        #expect(matrix.gatheringRows([]).rows == 0)
        #expect(Matrix(rows: 1, columns: 2).values == [0, 0])
    }

    @Test func adds() {
        var sum = matrix
        sum.add(matrix)
        #expect(sum.values == [2, 4, 6, 8, 10, 12])
        sum[0, 1] = -1
        #expect(sum.row(0) == [2, -1])
    }

    @Test func scaledRowsAreRoundedTwice() {
        // The square of 1 + ε is 1 + 2ε + ε²: rounded first, ε² is lost; fused, it stays.
        let near: Float = 1 + .ulpOfOne
        var sum = Matrix(rows: 1, columns: 1, values: [-1 - 2 * .ulpOfOne])
        var fused = sum.values
        let source = Matrix(rows: 2, columns: 1, values: [0, near])
        sum.addScaled(row: 0, near, source, sourceRow: 1)
        #expect(sum.values == [0])
        addScaledFused(&fused, near, [near], count: 1)
        #expect(fused == [.ulpOfOne * .ulpOfOne])
    }

    @Test func quantizedRowsAreCutWithoutCopying() {
        let weights = QuantizedMatrix(matrix)
        #expect(weights.bytesPerRow == 8 && weights.format == .f32)
        #expect(weights.dequantizedRow(1) == [3, 4])
        let part = weights.rows(1..<3)
        #expect(part.rows == 2 && part.dequantizedRow(1) == [5, 6])
        let addresses = [weights.bytes, part.bytes].map { $0.withUnsafeBytes { $0.baseAddress } }
        #expect(addresses[1] == addresses[0].map { $0 + 8 })
    }

    @Test func bytesLiveAsLongAsAView() {
        final class Owner: Sendable {}
        weak var owner: Owner?
        let storage = UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 1)
        defer { storage.deallocate() }
        storage.storeBytes(of: 0x0403_0201, as: UInt32.self)
        var view: WeightBytes?
        do {
            let object = Owner()
            owner = object
            view = WeightBytes(owner: object, start: storage, count: 4).slice(1..<4)
        }
        #expect(owner != nil)
        #expect(view?.copyBytes(1..<3) == [3, 4])
        view = nil
        #expect(owner == nil)
    }

    @Test func formatsKnowTheirGGMLTypes() {
        for format in BlockFormat.allCases {
            #expect(BlockFormat(ggmlType: format.ggmlType) == format)
        }
        #expect(BlockFormat(ggmlType: 4) == nil)
        #expect(BlockFormat.q4_K.name == "Q4_K" && BlockFormat.iq4_NL.name == "IQ4_NL")
        #expect(BlockFormat.f32.name == "F32" && BlockFormat.mxfp4.name == "MXFP4")
        #expect(BlockFormat.q4_K.byteCount(elements: 512) == 288)
    }
}
