import SystemModel

/// In how many parts a step goes through the layers: several, so that some are computed while the
/// others' experts are out, or one, since parts read more weights and send more frames. Whichever
/// took less time per step lately, by the number of rows; results are the same (ours).
///
/// Decisions only. Every way is tried first of all, and one that is slower again whenever
/// `trialShare` of the time spent since the last trial pays for what it costs.
package struct StepPartsState: Sendable {
    /// What is known of steps of about one number of rows.
    private struct Size: Sendable {
        /// Seconds of a step in so many parts; nil before the first.
        private var ways: [(parts: Int, seconds: Double?)]
        private var secondsSinceTrial = 0.0
        /// The way that was tried last.
        private var tried = 0

        /// - Parameter rows: the least of them.
        init(rows: Int) {
            ways = StepPartsState.ways.filter { $0 <= rows }.map { ($0, nil) }
        }

        mutating func next(trialShare: Double) -> Int {
            if let new = ways.first(where: { $0.seconds == nil }) { return new.parts }
            let best = ways.min { ($0.seconds ?? 0) < ($1.seconds ?? 0) } ?? (1, nil)
            let others = ways.filter { $0.parts != best.parts }
            guard !others.isEmpty else { return best.parts }
            let trial = others[tried % others.count]
            let cost = (trial.seconds ?? 0) - (best.seconds ?? 0)
            guard secondsSinceTrial * trialShare >= cost else { return best.parts }
            secondsSinceTrial = 0
            tried += 1
            return trial.parts
        }

        mutating func took(_ time: Double, parts: Int) {
            secondsSinceTrial += time
            guard let way = ways.firstIndex(where: { $0.parts == parts }) else { return }
            ways[way].seconds =
                ways[way].seconds.map { $0 + StepPartsState.memory * (time - $0) } ?? time
        }
    }

    /// Into how many parts steps may go.
    private static let ways = [1, 2, 4]
    /// A step's share of the mean.
    private static let memory = 0.125

    private let trialShare: Double
    /// `sizes[b]`: steps of `2^b ..< 2^(b + 1)` rows.
    private var sizes: [Size] = []
    private var current: (size: Int, parts: Int, began: Duration)?
    private var lastFinish: Duration?

    /// - Parameter trialShare: of the time, for trying slower ways.
    package init(trialShare: Double = 0.02) {
        self.trialShare = trialShare
    }

    /// A step of that many rows begins.
    ///
    /// - Returns: its parts: 1, 2 or 4.
    package mutating func begin(rows: Int, now: Duration) -> Int {
        endStep()
        let size = max(rows, 1).bitWidth - 1 - max(rows, 1).leadingZeroBitCount
        while sizes.count <= size { sizes.append(Size(rows: 1 << sizes.count)) }
        let parts = sizes[size].next(trialShare: trialShare)
        current = (size, parts, now)
        return parts
    }

    /// A layer's experts of one part are there.
    package mutating func finishedLayer(now: Duration) { lastFinish = now }

    /// The last step ended when its last layer did.
    private mutating func endStep() {
        defer { (current, lastFinish) = (nil, nil) }
        guard let current, let lastFinish, lastFinish > current.began else { return }
        sizes[current.size].took((lastFinish - current.began).seconds, parts: current.parts)
    }
}
