package import MoEModel
import Planning
package import SystemModel

/// Which sets of experts tokens visited lately: what a placement is planned for.
///
/// Of each layer a sample of bounded size is kept. Once it is full a new row takes the place of a
/// random one, so a row is forgotten exponentially, after `rowsKept` rows on average (Aggarwal's
/// biased reservoir, VLDB 2006, with every row taken in). The inference thread adds, planners copy.
package struct RecentRouting: Sendable {
    /// Rows kept of each layer: a few answers' worth, and enough to know the share of a set that
    /// one row in a hundred visits to within 16 %. A power of two.
    package static let rowsKept = 4_096
    /// Rows after which the sample alone tells more than no profile at all.
    package static let rowsNeeded = 512
    /// Rows that a calibration profile counts as beside the sample: a quarter of a full one.
    package static let priorRows = 1_024
    /// Rounds of which the rows are kept, and most rows that are planned for together.
    private static let (roundsKept, mostTogether) = (64, 64)
    /// Stands for no expert in a row of fewer than K.
    private static let none: Int32 = -1

    private let width: Int
    /// `[layers][rows × width]`: experts, ascending, then `none`.
    private var samples: [[Int32]]
    /// `[layers][experts]`: how often each is in the sample.
    private var counts: [[Int]]
    private var generator: SeededGenerator
    /// How soon rounds come back to experts, long prompts left out.
    private var reuse: ReuseRecorder
    /// Rows of the last few rounds, oldest first.
    private var rounds: [Int] = []
    /// Rows of the last layer that has experts, since the start.
    package private(set) var rows = 0
    /// Steps that are divided reach it in parts; the first layers they may pass as a whole.
    private let lastLayer: Int

    package init(_ shape: ModelShape, seed: UInt64 = 0) {
        width = max(1, shape.expertsPerToken)
        samples = Array(repeating: [], count: shape.layers)
        counts = shape.expertBytes.map { Array(repeating: 0, count: $0 > 0 ? shape.experts : 0) }
        generator = SeededGenerator(seed: seed)
        reuse = ReuseRecorder(experts: counts.map(\.count), forgets: true)
        lastLayer = shape.expertBytes.lastIndex { $0 > 0 } ?? 0
    }

    /// Takes in a layer's choice for the rows of a step. Of a row's experts the first K count.
    ///
    /// - Complexity: O(pairs); allocates only until the sample is full.
    package mutating func add(layer: Int, _ routing: Routing) {
        guard samples.indices.contains(layer) else { return }
        if layer == lastLayer { passed(routing.rows) }
        if routing.rows <= DeploymentProblem.mostRowsKept {
            reuse.add(layer: layer, Set(routing.pairs.map(\.expert)))
        }
        var place = -1
        var (row, count) = (-1, 0)
        for pair in routing.pairs {
            if pair.row != row {
                (row, count) = (pair.row, 0)
                place = makeRoom(layer)
            }
            guard count < width else { continue }
            samples[layer][place + count] = Int32(pair.expert)
            counts[layer][pair.expert] += 1
            count += 1
        }
    }

    private mutating func passed(_ count: Int) {
        if rounds.count == Self.roundsKept { rounds.removeFirst() }
        rounds.append(count)
        rows += count
    }

    /// Rows that go through a layer together: the median of the last rounds, so that a prompt now
    /// and then changes nothing, as a power of two; 1 before the first.
    package var rowsPerRound: Int {
        guard !rounds.isEmpty else { return 1 }
        let median = min(max(1, rounds.sorted()[rounds.count / 2]), Self.mostTogether)
        return 1 << (Int.bitWidth - 1 - median.leadingZeroBitCount)
    }

    /// Where the next row goes.
    private mutating func makeRoom(_ layer: Int) -> Int {
        let count = samples[layer].count
        guard count == Self.rowsKept * width else {
            samples[layer].append(contentsOf: repeatElement(Self.none, count: width))
            return count
        }
        let place = Int(generator.next() % UInt64(Self.rowsKept)) * width
        for position in place..<place + width where samples[layer][position] != Self.none {
            counts[layer][Int(samples[layer][position])] -= 1
            samples[layer][position] = Self.none
        }
        return place
    }

    /// `[layers][experts]`: the share of the sample's visits in a layer that each expert has; all 0
    /// before the first row. Empty for dense layers.
    ///
    /// - Complexity: O(layers · experts).
    package var popularity: [[Double]] {
        counts.map { counts in
            let total = Double(max(1, counts.reduce(0, +)))
            return counts.map { Double($0) / total }
        }
    }

    /// The layer's sample as sets, ascending.
    ///
    /// - Complexity: O(rows kept · K).
    package func sets(layer: Int) -> [RoutedSet] {
        var counts: [[Int]: Int] = [:]
        let sample = samples[layer]
        for place in stride(from: 0, to: sample.count, by: width) {
            let experts = sample[place..<place + width].prefix { $0 != Self.none }.map { Int($0) }
            counts[experts, default: 0] += 1
        }
        return Self.sorted(counts)
    }

    /// What to plan for: the sample beside what a profile recorded; without a profile the sample
    /// alone, once it is worth something, and before that all experts alike.
    ///
    /// - Parameter prior: of `prior(_:)`; nil without a profile.
    /// - Returns: `[layers]`; empty for dense layers.
    package func sets(_ shape: ModelShape, prior: [[RoutedSet]]?) -> [[RoutedSet]] {
        (0..<shape.layers).map { layer in
            guard shape.expertBytes[layer] > 0 else { return [] }
            let recent = sets(layer: layer)
            if let prior = prior?[layer], !prior.isEmpty {
                return Self.merged(prior, recent)
            }
            let rows = recent.reduce(0) { $0 + $1.count }
            return rows >= Self.rowsNeeded ? recent : Self.uniform(shape)
        }
    }

    /// `[layers][experts]`: how soon rounds come back to experts: as seen here, once that says
    /// something; before, as a profile recorded it of single tokens, while these are what is
    /// decoded; else nil.
    package func reuse(prior: [[ReuseTimes]]?) -> [[ReuseTimes]]? {
        if reuse.stepsCounted >= Double(Self.rowsNeeded) { return reuse.times }
        return rowsPerRound == 1 ? prior : nil
    }

    /// A profile's sets thinned out to `priorRows` rows of each layer, drawn at even distances.
    package static func prior(_ recorded: [[RoutedSet]]) -> [[RoutedSet]] {
        recorded.map { sets in
            let total = sets.reduce(0) { $0 + $1.count }
            guard total > priorRows else { return sets }
            var seen = 0
            return sets.compactMap { set in
                let before = seen * priorRows / total
                seen += set.count
                let count = seen * priorRows / total - before
                return count > 0 ? RoutedSet(experts: set.experts, count: count) : nil
            }
        }
    }

    /// Sets of K in which every expert is as often as any other, as far as K divides them: random
    /// orders of all experts, cut into sets.
    static func uniform(_ shape: ModelShape) -> [RoutedSet] {
        let size = min(max(1, shape.expertsPerToken), shape.experts)
        guard size > 0 else { return [] }
        var generator = SeededGenerator(seed: 0)
        var counts: [[Int]: Int] = [:]
        for _ in 0..<max(1, rowsNeeded * size / shape.experts) {
            let order = (0..<shape.experts).shuffled(using: &generator)
            for start in stride(from: 0, through: shape.experts - size, by: size) {
                counts[order[start..<start + size].sorted(), default: 0] += 1
            }
        }
        return sorted(counts)
    }

    private static func merged(_ first: [RoutedSet], _ second: [RoutedSet]) -> [RoutedSet] {
        var counts: [[Int]: Int] = [:]
        for set in first + second { counts[set.experts, default: 0] += set.count }
        return sorted(counts)
    }

    private static func sorted(_ counts: [[Int]: Int]) -> [RoutedSet] {
        counts.map { RoutedSet(experts: $0.key, count: $0.value) }
            .sorted { $0.experts.lexicographicallyPrecedes($1.experts) }
    }
}

extension [RoutedSet] {
    /// By expert, its share of a layer's visits; all 0 where nothing was visited.
    func popularity(experts: Int) -> [Double] {
        var counts = [Int](repeating: 0, count: experts)
        for set in self { for expert in set.experts { counts[expert] += set.count } }
        let total = Double(Swift.max(1, counts.reduce(0, +)))
        return counts.map { Double($0) / total }
    }
}
