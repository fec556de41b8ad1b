package import SystemModel
import Tensors

/// What a device measures of itself before it joins.
package struct SelfBenchmark: Sendable {
    /// Rate at which a matrix-vector product reads Q8_0 weights from memory, 10⁹ bytes per second.
    package let memoryGigabytesPerSecond: Double
    /// Rate of a matrix-matrix product on Q8_0 weights, 10⁹ operations per second.
    package let gigaflopsPerSecond: Double

    /// Runs both products on the kernels that experts run on, each for about `time`.
    ///
    /// - Complexity: about `2 · time`, and 64 MiB of memory while it runs.
    package init(clock: any MonotonicClock, time: Duration = .milliseconds(60)) {
        let large = Self.weights(rows: 30_720, columns: 2048)
        let vector = Activations(Matrix(rows: 1, columns: 2048))
        let reads = Self.rate(clock, time) { _ = product(large, vector) }
        memoryGigabytesPerSecond = reads * Double(large.bytes.count) / 1e9

        let small = Self.weights(rows: 512, columns: 1024)
        let batch = Activations(Matrix(rows: 32, columns: 1024))
        let products = Self.rate(clock, time) { _ = product(small, batch) }
        gigaflopsPerSecond = products * Double(2 * 512 * 1024 * 32) / 1e9
    }

    /// Runs per second, after one that warms up.
    private static func rate(
        _ clock: any MonotonicClock, _ time: Duration, _ body: () -> Void
    ) -> Double {
        body()
        let start = clock.now
        var runs = 0
        repeat {
            body()
            runs += 1
        } while clock.now - start < time
        return Double(runs) / max((clock.now - start).seconds, 1e-9)
    }

    private static func weights(rows: Int, columns: Int) -> QuantizedMatrix {
        let count = BlockFormat.q8_0.byteCount(elements: rows * columns)
        return QuantizedMatrix(
            rows: rows, columns: columns, format: .q8_0,
            bytes: WeightBytes([UInt8](repeating: 1, count: count)))
    }
}
