import SystemModel
import Testing

@testable import Tensors

/// Memory for copies of weights.
struct HugePagesTests {
    private static func piece(_ pages: HugePages, _ byte: UInt8, count: Int) throws -> WeightBytes {
        try pages.bytes(count) {
            $0.initializeMemory(as: UInt8.self, repeating: byte, count: count)
        }
    }

    /// Pieces that are in use never share memory; one that is not is given out again.
    @Test func piecesAreGivenOutAgain() throws {
        let pages = HugePages()
        var generator = SeededGenerator(seed: 7)
        var held: [(byte: UInt8, bytes: WeightBytes)] = []
        var places: Set<Int> = []
        for number in 0..<400 {
            if held.count > 10 {
                held.remove(at: Int.random(in: 0..<held.count, using: &generator))
            }
            let count = [1_000, 4_096, 70_000].randomElement(using: &generator) ?? 1
            let byte = UInt8(number % 251)
            let bytes = try Self.piece(pages, byte, count: count)
            held.append((byte, bytes))
            places.insert(bytes.withUnsafeBytes { Int(bitPattern: $0.baseAddress) })
            for (byte, bytes) in held {
                let isWhole = bytes.copyBytes(0..<bytes.count).allSatisfy { $0 == byte }
                #expect(isWhole, "piece \(number)")
            }
        }
        #expect(places.count <= 3 * 12, "\(places.count) places for at most 11 pieces of 3 sizes")
    }
}
