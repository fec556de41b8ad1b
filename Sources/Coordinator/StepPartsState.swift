import SystemModel

/// In how many parts a step goes through the layers: several, so that some are computed while the
/// others' experts are out, or one, since parts read more weights and send more frames. Whichever
/// took less time per step lately, by the number of rows; results are the same (ours).
///
/// Decisions only. Every way is tried first of all, and one that is slower again whenever
/// `trialShare` of the time spent since the last trial pays for what it costs.
package struct StepPartsState: Sendable {
    private struct Way: Sendable {
        /// Of that many steps the middle one counts, so that a disturbed one changes nothing.
        static let memory = 5

        let parts: Int
        /// Seconds of the last steps, the oldest first.
        var times: [Double] = []
        /// Seconds that steps took since one went this way.
        var elapsed = 0.0

        /// Seconds of a step; nil before the first.
        var seconds: Double? {
            times.isEmpty ? nil : times.sorted()[(times.count - 1) / 2]
        }

        mutating func took(_ time: Double) {
            if times.count == Self.memory { times.removeFirst() }
            times.append(time)
            elapsed = 0
        }
    }

    /// What is known of steps of about one number of rows.
    private struct Size: Sendable {
        private var ways: [Way]

        /// - Parameter rows: the least of them.
        init(rows: Int) {
            ways = StepPartsState.ways.filter { $0 <= rows }.map { Way(parts: $0) }
        }

        mutating func next(trialShare: Double) -> Int {
            if let new = ways.first(where: { $0.seconds == nil }) { return new.parts }
            guard let best = ways.min(by: { ($0.seconds ?? 0) < ($1.seconds ?? 0) }) else {
                return 1
            }
            let share = trialShare / Double(ways.count)
            let trial = ways.first {
                let cost = ($0.seconds ?? 0) - (best.seconds ?? 0)
                return cost > 0 && $0.elapsed * share >= cost
            }
            return trial?.parts ?? best.parts
        }

        mutating func took(_ time: Double, parts: Int) {
            for way in ways.indices {
                if ways[way].parts == parts {
                    ways[way].took(time)
                } else {
                    ways[way].elapsed += time
                }
            }
        }
    }

    /// Into how many parts steps may go.
    private static let ways = [1, 2, 4]

    private let trialShare: Double
    /// `sizes[b]`: steps of `2^b ..< 2^(b + 1)` rows.
    private var sizes: [Size] = []
    private var current: (size: Int, parts: Int, began: Duration)?
    private var lastFinish: Duration?

    /// - Parameter trialShare: of the time, for trying slower ways.
    package init(trialShare: Double = 0.01) {
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
