import Foundation

/// What `martlet bench` measured.
struct BenchReport: Encodable {
    struct Speed: Encodable {
        /// Of the prompt, or that each sequence decoded.
        let tokens: Int
        /// Sequences that advanced together.
        let batch: Int
        /// Mean over the repetitions, all sequences' tokens together.
        let tokensPerSecond: Double
        /// Standard deviation over the repetitions.
        let deviation: Double
        /// Time of a run in which the model only waited for devices.
        let waitingSeconds: Double

        init(tokens: Int, batch: Int, speeds: [Double], waitingSeconds: Double) {
            self.tokens = tokens
            self.batch = batch
            let mean = speeds.reduce(0, +) / Double(speeds.count)
            let squares = speeds.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            tokensPerSecond = mean
            deviation = (squares / Double(max(1, speeds.count - 1))).squareRoot()
            self.waitingSeconds = waitingSeconds
        }
    }

    let threads: Int
    let prompt: Speed?
    let generate: Speed?

    var table: String {
        let rows = [("prompt", prompt), ("generate", generate)].compactMap { name, speed in
            speed.map {
                [
                    name, "\($0.tokens)", "\($0.batch)",
                    String(format: "%.1f ± %.1f", $0.tokensPerSecond, $0.deviation),
                    Readable.milliseconds($0.waitingSeconds),
                ]
            }
        }
        return Readable.table([["what", "tokens", "batch", "tokens/s", "waiting"]] + rows)
            + "\n\(threads) thread\(threads == 1 ? "" : "s")"
    }
}
