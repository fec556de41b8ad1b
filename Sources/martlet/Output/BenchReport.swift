import Foundation

/// What `martlet bench` measured.
struct BenchReport: Encodable {
    /// One repetition, times in seconds.
    struct Run {
        let seconds: Double
        let attention: Double
        let router: Double
        /// Waiting for devices is part of it.
        let experts: Double
        let head: Double
        let waiting: Double
        /// Payloads to and from devices.
        let wireBytes: Int
        /// Bytes of weights read, wherever experts ran.
        let bytes: Int
        /// Multiplications and additions with weights.
        let operations: Int
    }

    /// Where a run's time went, in seconds, mean over the repetitions.
    struct Breakdown: Encodable {
        let attention: Double
        let router: Double
        let experts: Double
        let head: Double
        /// The part of `experts` in which the model only waited for devices.
        let waiting: Double
    }

    struct Speed: Encodable {
        /// Of the prompt, or that each sequence decoded.
        let tokens: Int
        /// Sequences that advanced together.
        let batch: Int
        /// Mean over the repetitions, all sequences' tokens together.
        let tokensPerSecond: Double
        /// Standard deviation over the repetitions.
        let deviation: Double
        let seconds: Breakdown
        /// Payloads to and from devices, for each token.
        let wireBytesPerToken: Double
        /// Weights read, in 10^9 bytes a second.
        let gigabytesPerSecond: Double
        /// Multiplications and additions with weights, in 10^9 a second.
        let gigaoperationsPerSecond: Double

        init(tokens: Int, batch: Int, _ runs: [Run]) {
            self.tokens = tokens
            self.batch = batch
            let count = Double(runs.count)
            let all = Double(tokens * batch)
            let mean = Self.mean(runs) { all / $0.seconds }
            let squares = runs.reduce(0) { $0 + pow(all / $1.seconds - mean, 2) }
            tokensPerSecond = mean
            deviation = (squares / max(1, count - 1)).squareRoot()
            seconds = Breakdown(
                attention: Self.mean(runs, \.attention), router: Self.mean(runs, \.router),
                experts: Self.mean(runs, \.experts), head: Self.mean(runs, \.head),
                waiting: Self.mean(runs, \.waiting))
            let time = Self.mean(runs, \.seconds)
            wireBytesPerToken = Self.mean(runs) { Double($0.wireBytes) } / all
            gigabytesPerSecond = Self.mean(runs) { Double($0.bytes) } / time / 1e9
            gigaoperationsPerSecond = Self.mean(runs) { Double($0.operations) } / time / 1e9
        }

        private static func mean(_ runs: [Run], _ value: (Run) -> Double) -> Double {
            runs.map(value).reduce(0, +) / Double(runs.count)
        }
    }

    let threads: Int
    /// How weights came into memory.
    let load: String
    let prompt: Speed?
    let generate: Speed?
    let roof: MachineRoof

    var table: String {
        let head = [
            "what", "tokens", "batch", "tokens/s", "attention", "router", "experts", "waiting",
            "head", "GB/s", "GOP/s",
        ]
        let rows = [("prompt", prompt), ("generate", generate)].compactMap { name, speed in
            speed.map { Self.row(name, $0) }
        }
        return Readable.table([head] + rows) + "\n\(roof.line)"
            + "\n\(threads) thread\(threads == 1 ? "" : "s"), weights \(load); times are a run's"
    }

    private static func row(_ name: String, _ speed: Speed) -> [String] {
        [
            name, "\(speed.tokens)", "\(speed.batch)",
            String(format: "%.1f ± %.1f", speed.tokensPerSecond, speed.deviation),
            Readable.milliseconds(speed.seconds.attention),
            Readable.milliseconds(speed.seconds.router),
            Readable.milliseconds(speed.seconds.experts),
            Readable.milliseconds(speed.seconds.waiting),
            Readable.milliseconds(speed.seconds.head),
            String(format: "%.1f", speed.gigabytesPerSecond),
            String(format: "%.0f", speed.gigaoperationsPerSecond),
        ]
    }
}
