import SystemModel

/// In how many parts a step goes through the layers: two, so that one part is computed while the
/// other's experts are out, or one, since two parts read more weights and send more frames.
/// Whichever took less time per step lately, by the number of rows; results are the same (ours).
///
/// Decisions only. The other way is tried first of all, and again whenever `trialShare` of the time
/// spent since the last trial pays for what it costs.
package struct StepPartsState: Sendable {
    /// What is known of steps of about one number of rows.
    private struct Size: Sendable {
        /// Seconds of a step in one and in two parts; nil before the first.
        var seconds: [Double?] = [nil, nil]
        var secondsSinceTrial = 0.0

        /// One or two.
        mutating func next(trialShare: Double) -> Int {
            guard let one = seconds[0] else { return 1 }
            guard let two = seconds[1] else { return 2 }
            let best = one <= two ? 1 : 2
            guard secondsSinceTrial * trialShare >= abs(one - two) else { return best }
            secondsSinceTrial = 0
            return 3 - best
        }

        mutating func took(_ time: Double, parts: Int) {
            secondsSinceTrial += time
            seconds[parts - 1] =
                seconds[parts - 1].map {
                    $0 + StepPartsState.memory * (time - $0)
                } ?? time
        }
    }

    /// A step's share of the mean.
    private static let memory = 0.125

    private let trialShare: Double
    /// `sizes[b]`: steps of `2^b ..< 2^(b + 1)` rows.
    private var sizes: [Size] = []
    private var current: (size: Int, parts: Int, began: Duration)?
    private var lastFinish: Duration?

    /// - Parameter trialShare: of the time, for trying the other way.
    package init(trialShare: Double = 0.02) {
        self.trialShare = trialShare
    }

    /// A step of that many rows begins.
    ///
    /// - Returns: its parts: 1 or 2.
    package mutating func begin(rows: Int, now: Duration) -> Int {
        endStep()
        let size = max(rows, 1).bitWidth - 1 - max(rows, 1).leadingZeroBitCount
        while sizes.count <= size { sizes.append(Size()) }
        let parts = rows < 2 ? 1 : sizes[size].next(trialShare: trialShare)
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
