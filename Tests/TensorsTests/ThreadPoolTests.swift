import Synchronization
import SystemModel
import Testing

@testable import Tensors

/// Pinned: every chunk runs once, whoever else uses the pool; and no product depends on the number
/// of threads.
@Suite(.serialized) struct ThreadPoolTests {
    @Test(arguments: [1, 2, 3, 4])
    func everyChunkRunsOnce(_ threads: Int) {
        ThreadPool.shared.use(threads: threads)
        for chunks in [0, 1, 2, 3, 17, 1000] {
            for _ in 0..<50 {
                let sum = Atomic<Int>(0)
                let squares = Atomic<Int>(0)
                ThreadPool.shared.run(chunks) { chunk in
                    sum.add(chunk + 1, ordering: .relaxed)
                    squares.add(chunk * chunk, ordering: .relaxed)
                }
                #expect(sum.load(ordering: .relaxed) == chunks * (chunks + 1) / 2)
                #expect(
                    squares.load(ordering: .relaxed)
                        == (chunks - 1) * chunks * (2 * chunks - 1) / 6)
            }
        }
    }

    @Test func chunksMayForkAgain() {
        ThreadPool.shared.use(threads: 3)
        let count = Atomic<Int>(0)
        ThreadPool.shared.run(7) { _ in
            ThreadPool.shared.run(5) { _ in count.add(1, ordering: .relaxed) }
        }
        #expect(count.load(ordering: .relaxed) == 35)
    }

    /// Callers on several threads: one has the workers, the others do their work themselves.
    @Test func callersDoNotDisturbEachOther() async {
        ThreadPool.shared.use(threads: 3)
        await withTaskGroup(of: Int.self) { group in
            for caller in 1...4 {
                group.addTask {
                    let sum = Atomic<Int>(0)
                    for _ in 0..<500 {
                        ThreadPool.shared.run(9) { sum.add($0 * caller, ordering: .relaxed) }
                    }
                    return sum.load(ordering: .relaxed) - 500 * 36 * caller
                }
            }
            for await wrong in group { #expect(wrong == 0) }
        }
    }

    @Test(arguments: [1, 2, 3])
    func productsAreThoseOfOneThread(_ threads: Int) {
        ThreadPool.shared.use(threads: threads)
        var random = SeededGenerator(seed: 5)
        let inputs = Activations(random.matrix(rows: 5, columns: 512))
        for format in [BlockFormat.q8_0, .q4_0, .bf16, .f32] {
            let matrices = [33, 320, 1, 700].map {
                random.weights(rows: $0, columns: 512, format: format)
            }
            let expected = matrices.map { Kernels.detected.product($0, inputs) }
            #expect(products(matrices, inputs) == expected, "\(format.name), seed 5")
            #expect(matrices.map { product($0, inputs) } == expected, "\(format.name), seed 5")
        }
    }

    /// Rows gathered in their 8-bit form are those quantised after gathering.
    @Test(arguments: [1, 2, 3])
    func groupedProductsAreThoseOfTheirRows(_ threads: Int) {
        ThreadPool.shared.use(threads: threads)
        var random = SeededGenerator(seed: 6)
        let inputs = random.matrix(rows: 6, columns: 512)
        let rows = [4, 0, 5, 5, 2]
        let gathered = Activations(inputs).gatheringRows(rows)
        let ranges = [0..<2, 2..<2, 2..<5]
        for format in [BlockFormat.q8_0, .q4_0, .bf16] {
            let matrices = ranges.map { _ in random.weights(rows: 320, columns: 512, format: format)
            }
            let groups = zip(matrices, ranges).map { ProductGroup($0, rows: $1) }
            let result = groupedProducts([groups, Array(groups.reversed())], gathered)
            let parts = zip(matrices, ranges).map { matrix, range in
                Kernels.detected.product(
                    matrix, Activations(inputs.gatheringRows(Array(rows[range]))))
            }
            #expect(
                result[0].values == parts.flatMap(\.values), "\(format.name), seed 6")
            #expect(
                result[1].values == parts.reversed().flatMap(\.values), "\(format.name), seed 6")
        }
    }
}
