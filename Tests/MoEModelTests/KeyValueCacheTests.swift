import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// Pages: shared, copied when written to, counted, limited.
struct KeyValueCacheTests {
    let run: LocalRun
    let ids: [Int]

    init() throws {
        run = try LocalRun(ModelFormat.gguf.path("mixtral"), try ExpectedModel("mixtral"))
        // Three pages and a part of the fourth.
        let once = run.expected.input_ids
        ids = Array((0..<6).flatMap { _ in once }.prefix(200))
    }

    private func read(_ ids: some Sequence<Int>, _ cache: inout KeyValueCache) throws -> Matrix {
        try run.model.transformer.forward(
            Array(ids), cache: &cache, rows: .last, selector: run.selector,
            experts: LocalExperts(layers: run.model.experts))
    }

    /// Sequences that go on from a common beginning share its full pages and disturb nobody.
    @Test(arguments: [1, 63, 64, 65, 128, 150, 192])
    func aPrefixIsShared(_ length: Int) throws {
        let pool = KeyValuePool(run.model.transformer)
        var first = pool.makeCache()
        let expected = try read(ids, &first)
        #expect(pool.usage.pagesInUse == 4)
        var second = first.prefix(length)
        #expect(try read(ids[length...], &second) == expected)
        #expect(pool.usage.pagesInUse == 4 + 4 - length / 64)
        var third = first.prefix(length)
        let other = try read(ids[..<30], &third)
        var alone = pool.makeCache()
        #expect(try read(ids[..<length] + ids[..<30], &alone) == other)
        // The first sequence is as before.
        #expect(try read([1], &first) == read([1], &second))
        (first, second, third, alone) = (
            pool.makeCache(), pool.makeCache(), pool.makeCache(), pool.makeCache()
        )
        #expect(pool.usage.pagesInUse == 0)
        #expect(pool.usage.bytesHeld > 0, "freed pages are kept")
    }

    /// Positions that were forgotten and written anew leave nothing behind.
    @Test func truncationForgets() throws {
        let pool = KeyValuePool(run.model.transformer)
        var cache = pool.makeCache()
        let expected = try read(ids[..<130], &cache)
        cache.truncate(to: 60)
        #expect(pool.usage.pagesInUse == 1)
        _ = try read(ids[..<100], &cache)
        cache.truncate(to: 60)
        #expect(try read(ids[60..<130], &cache) == expected)
        cache.truncate(to: 0)
        #expect(cache.byteCount == 0)
        #expect(pool.usage.pagesInUse == 0)
    }

    /// Without a page left nothing is computed, and every cache can go on later.
    @Test func runningOutOfPagesIsAnError() throws {
        let page = KeyValuePool(run.model.transformer).pageBytes
        let pool = KeyValuePool(run.model.transformer, bytesLimit: 4 * page + 1)
        var first = pool.makeCache()
        _ = try read(ids[..<100], &first)
        var steps = [
            SequenceStep(ids: Array(ids[100..<130]), cache: first, rows: .last),
            SequenceStep(ids: Array(ids[..<65]), cache: pool.makeCache(), rows: .last),
        ]
        first = pool.makeCache()
        let error = #expect(throws: KeyValueCacheError.self) { try run.forward(&steps) }
        #expect(error?.bytesLimit == 4 * page + 1)
        #expect(steps.map(\.cache.positions) == [100, 0])
        #expect(pool.usage.pagesInUse == 2)
        steps[1] = SequenceStep(ids: [7], cache: pool.makeCache(), rows: .last)
        let logits = try run.forward(&steps)[0]
        var alone = KeyValuePool(run.model.transformer).makeCache()
        #expect(try read(ids[..<130], &alone) == logits)
    }

    /// A copy that is written to leaves the original alone.
    @Test func copiesAreIndependent() throws {
        let pool = KeyValuePool(run.model.transformer)
        var cache = pool.makeCache()
        _ = try read(ids[..<70], &cache)
        var copy = cache
        let expected = try read(ids[70..<90], &cache)
        _ = try read(ids[..<20], &copy)
        copy = cache.prefix(70)
        #expect(try read(ids[70..<90], &copy) == expected)
    }
}
