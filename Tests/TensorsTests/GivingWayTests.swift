import Testing

@testable import Tensors

struct GivingWayTests {
    /// Every byte once and in order, also at the edges of a piece.
    @Test(arguments: [0, 1, -1, 2 * GivingWay.pieceBytes + 7])
    func piecesAreTheWhole(beyond: Int) {
        let count = beyond == 0 ? 0 : GivingWay.pieceBytes + beyond
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var (read, sizes) = ([UInt8](), [Int]())
        WeightBytes(bytes).forEachPieceInBackground {
            read += $0
            sizes.append($0.count)
        }
        #expect(read == bytes)
        #expect(sizes.allSatisfy { 1...GivingWay.pieceBytes ~= $0 })
        #expect(sizes.dropLast().allSatisfy { $0 == GivingWay.pieceBytes })
    }
}
