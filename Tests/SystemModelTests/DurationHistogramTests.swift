import SystemModel
import Testing

struct DurationHistogramTests {
    @Test func bucketsIncludeTheirBounds() {
        var histogram = DurationHistogram()
        for seconds in [0, 0.0001, 0.00011, 0.3, 1000] { histogram.add(seconds) }
        #expect(DurationHistogram.bounds == DurationHistogram.bounds.sorted())
        #expect(histogram.counts.count == DurationHistogram.bounds.count + 1)
        #expect(histogram.counts[0] == 2)
        #expect(histogram.counts[1] == 1)
        #expect(histogram.counts.last == 1)
        #expect(histogram.count == 5)
        #expect(abs(histogram.sum - 1000.30021) < 1e-9)
    }

    @Test func quantilesLieInTheirBuckets() {
        var histogram = DurationHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for _ in 0..<90 { histogram.add(0.002) }
        for _ in 0..<10 { histogram.add(0.07) }
        let median = histogram.quantile(0.5) ?? 0
        #expect(median > 0.001 && median <= 0.0025)
        let late = histogram.quantile(0.95) ?? 0
        #expect(late > 0.05 && late <= 0.1)
        let before = histogram
        histogram.add(4)
        let since = histogram.since(before)
        #expect(since.count == 1)
        #expect(since.sum == 4)
    }
}
