/// How soon tokens come back to an expert: what a memory of the last visits would miss of it, and
/// what the expert would take of that memory (Denning 1968, the working set).
///
/// A memory that drops what was used least recently keeps what was visited within a window, whose
/// length follows from its size (Che, Tung and Wang 2002).
package struct ReuseTimes: Sendable, Equatable {
    /// The windows that are looked at, in steps.
    package static let windows = [
        1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1_024,
    ]

    /// By window, the share of visits whose last one was longer ago.
    package var missed: [Double]
    /// By window, the share of time for which the expert is kept.
    package var kept: [Double]

    package init(missed: [Double], kept: [Double]) {
        precondition(missed.count == Self.windows.count && kept.count == missed.count, "by window")
        self.missed = missed
        self.kept = kept
    }

    /// Of an expert that each step visits with the same probability, whatever the last one did.
    package init(independent probability: Double) {
        let gone = Self.windows.map { window in
            var gone = 1.0
            for _ in 0..<window { gone *= 1 - probability }
            return gone
        }
        self.init(missed: gone, kept: gone.map { 1 - $0 })
    }
}

/// Counts how soon steps come back to experts.
package struct ReuseRecorder: Sendable {
    /// Of one expert.
    private struct Record: Sendable {
        var last: Int?
        var visits = 0.0
        /// By window the visits whose last one was within it and no shorter one; then the others.
        var counts = [Double](repeating: 0, count: ReuseTimes.windows.count + 1)
        /// Of each of those, the steps since the last visit, summed up.
        var gaps = [Double](repeating: 0, count: ReuseTimes.windows.count + 1)
    }

    /// After this many steps what was counted counts half.
    private static let halfLife = 4_096

    private let forgets: Bool
    private var records: [[Record]]
    /// By layer: steps until now, and those that count.
    private var steps: [Int]
    private var weight: [Double]

    /// - Parameters:
    ///   - experts: by layer how many there are.
    ///   - forgets: whether what was long ago counts for less.
    package init(experts: [Int], forgets: Bool) {
        self.forgets = forgets
        records = experts.map { Array(repeating: Record(), count: $0) }
        steps = experts.map { _ in 0 }
        weight = experts.map { _ in 0 }
    }

    /// Steps that count, of the layer that had most.
    package var stepsCounted: Double { weight.max() ?? 0 }

    /// A step visits these experts of a layer, each named once.
    package mutating func add(layer: Int, _ experts: some Sequence<Int>) {
        steps[layer] += 1
        weight[layer] += 1
        for expert in experts { visit(layer, expert) }
        if forgets, steps[layer] % Self.halfLife == 0 { halve(layer) }
    }

    private mutating func visit(_ layer: Int, _ expert: Int) {
        let now = steps[layer]
        var place = ReuseTimes.windows.count
        if let last = records[layer][expert].last {
            place = ReuseTimes.windows.firstIndex { $0 >= now - last } ?? place
            records[layer][expert].gaps[place] += Double(now - last)
        }
        records[layer][expert].visits += 1
        records[layer][expert].counts[place] += 1
        records[layer][expert].last = now
    }

    private mutating func halve(_ layer: Int) {
        weight[layer] /= 2
        for expert in records[layer].indices {
            records[layer][expert].visits /= 2
            for place in 0...ReuseTimes.windows.count {
                records[layer][expert].counts[place] /= 2
                records[layer][expert].gaps[place] /= 2
            }
        }
    }

    /// `[layers][experts]`; what nobody visited takes nothing and is always missed.
    package var times: [[ReuseTimes]] {
        zip(records, weight).map { records, weight in
            records.map { Self.times($0, steps: max(1, weight)) }
        }
    }

    private static func times(_ record: Record, steps: Double) -> ReuseTimes {
        var within = (visits: 0.0, steps: 0.0)
        var times = ReuseTimes(independent: 0)
        for (place, window) in ReuseTimes.windows.enumerated() where record.visits > 0 {
            within.visits += record.counts[place]
            within.steps += record.gaps[place]
            let longer = record.visits - within.visits
            times.missed[place] = longer / record.visits
            times.kept[place] = min(1, (within.steps + longer * Double(window)) / steps)
        }
        return times
    }
}
