import Foundation
import SystemModel
import Testing

@testable import Tensors

/// Attention and its storage compute the bits of their scalar twins, on every instruction set, for
/// every precision, and however the rows of a sequence are split into tasks.
struct AttentionTests {
    /// One shape of attention.
    struct Shape: Sendable {
        var key: Int
        var value: Int
        var valuesAreKeys = false
        var heads: Int
        var rows: Int
        var position: Int
        var window = Int.max
        var hasSinks = false
    }

    static let shapes = [
        Shape(key: 16, value: 16, heads: 1, rows: 1, position: 0),
        Shape(key: 64, value: 64, heads: 1, rows: 1, position: 200),
        Shape(key: 40, value: 24, heads: 4, rows: 1, position: 63),
        Shape(key: 7, value: 5, heads: 3, rows: 5, position: 62),
        Shape(key: 32, value: 80, heads: 7, rows: 1, position: 129, hasSinks: true),
        Shape(key: 24, value: 16, heads: 2, rows: 64, position: 30, window: 20, hasSinks: true),
        Shape(key: 16, value: 16, heads: 1, rows: 3, position: 190, window: 1),
        Shape(key: 48, value: 37, valuesAreKeys: true, heads: 5, rows: 2, position: 70),
        Shape(key: 40, value: 32, valuesAreKeys: true, heads: 16, rows: 9, position: 60),
    ]

    @Test(arguments: shapes.indices, KeyValuePrecision.allCases)
    func kernelsAreTheirTwins(_ index: Int, _ precision: KeyValuePrecision) throws {
        let sequence = RandomSequence(Self.shapes[index], precision, seed: UInt64(index))
        let expected = sequence.attend(Reference.attend)
        #expect(expected.allSatisfy { $0.isFinite })
        for set in InstructionSet.available {
            let kernels = try #require(Kernels(set))
            let isSame = sequence.attend(kernels.attend) == expected
            #expect(isSame, "\(set), shape \(index)")
            #expect(sequence.bytes(kernels.store) == sequence.bytes(Reference.store), "\(set)")
        }
    }

    @Test(arguments: KeyValuePrecision.allCases)
    func splittingChangesNoBit(_ precision: KeyValuePrecision) {
        for (index, shape) in Self.shapes.enumerated() where shape.rows > 1 {
            let sequence = RandomSequence(shape, precision, seed: UInt64(index))
            let whole = sequence.attend(Kernels.detected.attend)
            let single = sequence.attend(Kernels.detected.attend, rowsPerTask: 1)
            let few = sequence.attend(Kernels.detected.attend, rowsPerTask: 7)
            #expect(whole == single && whole == few, "shape \(index)")
        }
    }

    /// The textbook's two passes, in fp64.
    @Test(arguments: shapes.indices)
    func onlineSoftmaxIsSoftmax(_ index: Int) {
        let shape = Self.shapes[index]
        let sequence = RandomSequence(shape, .f32, seed: UInt64(index))
        let outputs = sequence.attend(Kernels.detected.attend)
        for (position, right) in sequence.textbook().enumerated() {
            #expect(abs(Double(outputs[position]) - right) < 1e-5, "output \(position)")
        }
    }

    /// Numbers beyond fp16 become its largest ones.
    @Test func halvesAreLimited() {
        let tile = KeyValueTile(keySize: 4, valueSize: 1, valuesAreKeys: false, precision: .f16)
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: tile.byteCount, alignment: 64)
        defer { bytes.deallocate() }
        let key: [Float] = [1e6, -.infinity, 65504, 1e-9]
        for set in InstructionSet.available {
            key.withUnsafeBufferPointer { key in
                guard let start = key.baseAddress else { return }
                Kernels(set)?.store(tile, key: start, value: start, at: 5, in: bytes)
            }
            let stored = (0..<4).map { Reference.key(tile, 5, $0, in: bytes) }
            #expect(stored == [65504, -65504, 65504, 0], "\(set)")
        }
    }
}

/// Keys, values and queries of one sequence, and its pages.
private final class RandomSequence {
    typealias Store = (
        KeyValueTile, UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutableRawPointer
    ) -> Void

    let shape: AttentionTests.Shape
    let tile: KeyValueTile
    let scale: Float
    let keys: Matrix
    let values: Matrix
    let queries: Matrix
    let sinks: [Float]
    let pages: [UnsafeMutableRawPointer]
    /// Bytes before the tile in each page.
    let offset = 128

    init(_ shape: AttentionTests.Shape, _ precision: KeyValuePrecision, seed: UInt64) {
        self.shape = shape
        tile = KeyValueTile(
            keySize: shape.key, valueSize: shape.value, valuesAreKeys: shape.valuesAreKeys,
            precision: precision)
        scale = 1 / Float(shape.key).squareRoot()
        var generator = SeededGenerator(seed: seed)
        let positions = shape.position + shape.rows
        keys = generator.matrix(rows: positions, columns: shape.key)
        values = generator.matrix(rows: positions, columns: shape.value)
        queries = generator.matrix(rows: shape.rows, columns: shape.heads * shape.key)
        sinks = generator.numbers(shape.heads)
        let (tile, offset) = (tile, offset)
        pages = (0...(positions - 1) / KeyValueTile.positions).map { _ in
            let size = offset + tile.byteCount
            let page = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
            page.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            return page
        }
        store(Reference.store)
    }

    deinit { for page in pages { page.deallocate() } }

    /// The pages' bytes after storing everything anew.
    func bytes(_ store: Store) -> [[UInt8]] {
        for page in pages { memset(page, size: offset + tile.byteCount) }
        self.store(store)
        return pages.map {
            Array(UnsafeRawBufferPointer(start: $0, count: offset + tile.byteCount))
        }
    }

    private func memset(_ page: UnsafeMutableRawPointer, size: Int) {
        page.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }

    private func store(_ store: Store) {
        keys.values.withUnsafeBufferPointer { keys in
            values.values.withUnsafeBufferPointer { values in
                guard let keys = keys.baseAddress, let values = values.baseAddress else { return }
                for position in 0..<self.keys.rows {
                    store(
                        tile, keys + position * shape.key, values + position * shape.value,
                        position % KeyValueTile.positions,
                        pages[position / KeyValueTile.positions] + offset)
                }
            }
        }
    }

    /// `[rows × (heads · value)]`
    func attend(_ attend: (AttentionTask) -> Void, rowsPerTask: Int? = nil) -> [Float] {
        let (queryStride, outputStride) = (queries.columns, shape.heads * shape.value)
        var outputs = [Float](repeating: .nan, count: shape.rows * outputStride)
        let addresses = pages.map { UnsafeRawPointer($0) }
        queries.values.withUnsafeBufferPointer { queries in
            sinks.withUnsafeBufferPointer { sinks in
                addresses.withUnsafeBufferPointer { pages in
                    outputs.withUnsafeMutableBufferPointer { outputs in
                        guard let queries = queries.baseAddress, let pages = pages.baseAddress,
                            let outputs = outputs.baseAddress
                        else { return }
                        let step = rowsPerTask ?? shape.rows
                        for row in stride(from: 0, to: shape.rows, by: step) {
                            attend(
                                AttentionTask(
                                    tile: tile, pages: pages, offset: offset,
                                    position: shape.position + row,
                                    rows: min(step, shape.rows - row), heads: shape.heads,
                                    queries: queries + row * queryStride,
                                    queryStride: queryStride,
                                    outputs: outputs + row * outputStride,
                                    outputStride: outputStride, scale: scale,
                                    window: shape.window,
                                    sinks: shape.hasSinks ? sinks.baseAddress : nil))
                        }
                    }
                }
            }
        }
        return outputs
    }

    func textbook() -> [Double] {
        let values = shape.valuesAreKeys ? keys : values
        var outputs: [Double] = []
        for row in 0..<shape.rows {
            let last = shape.position + row
            let seen = max(0, last - min(shape.window, last + 1) + 1)...last
            for head in 0..<shape.heads {
                let scores = seen.map { position in
                    (0..<shape.key).reduce(0.0) {
                        $0 + Double(queries[row, head * shape.key + $1])
                            * Double(keys[position, $1])
                    } * Double(scale)
                }
                let all = scores + (shape.hasSinks ? [Double(sinks[head])] : [])
                let weights = all.map { exponential($0 - (all.max() ?? 0)) }
                let sum = weights.reduce(0, +)
                for element in 0..<shape.value {
                    outputs.append(
                        zip(seen, weights).reduce(0) {
                            $0 + $1.1 / sum * Double(values[$1.0, element])
                        })
                }
            }
        }
        return outputs
    }

    private func exponential(_ x: Double) -> Double { Foundation.exp(x) }
}
