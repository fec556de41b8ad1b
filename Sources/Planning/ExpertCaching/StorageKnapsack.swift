/// Shares one server's storage among layers: `max Σ_l h_l(c_l)` subject to `Σ_l c_l s_l ≤ Q`.
///
/// Layers whose experts have one size are one class and are combined in units of experts; classes
/// are combined by lists of (bytes, gain) from which what costs more and saves less is gone.
struct StorageKnapsack {
    /// How layers of one size are combined. Both are exact.
    enum Method: Sendable {
        /// The dynamic program, layer by layer.
        case plain
        /// Concave layers by merging slopes, the others by the dynamic program, both by SMAWK.
        case accelerated
    }

    /// Lists between classes are kept at most so long; above, gains are rounded.
    private static let exactPoints = 1 << 16

    let method: Method
    /// With layers of several sizes the answer saves at least (1 - ε) of the most possible.
    let epsilon: Double

    /// How many experts of each layer to store, `[curves]`.
    ///
    /// - Parameters:
    ///   - curves: one per layer.
    ///   - bytes: of one expert, per layer.
    ///   - capacity: bytes.
    func solve(_ curves: [LayerCurve], bytes: [Int], capacity: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: curves.count)
        let useful = curves.indices.filter { curves[$0].most > 0 && bytes[$0] <= capacity }
        let sizes = Set(useful.map { bytes[$0] }).sorted()
        let classes = sizes.map { size in
            SizeClass(
                layers: useful.filter { bytes[$0] == size }, curves: curves, size: size,
                most: capacity / size, method: method)
        }
        for (part, units) in zip(classes, share(classes, capacity)) {
            part.trace(units, into: &counts)
        }
        return counts
    }

    /// Units of each class.
    private func share(_ classes: [SizeClass], _ capacity: Int) -> [Int] {
        guard let last = classes.last else { return [] }
        var lists = [[Point(bytes: 0, seconds: 0, units: 0, previous: 0)]]
        let best = classes.map { $0.values[$0.values.count - 1] }.max() ?? 0
        for part in classes.dropLast() {
            lists.append(extended(lists[lists.count - 1], part, capacity, best, classes.count))
        }
        let final = lists[lists.count - 1]
        var (place, units, most) = (0, 0, -1.0)
        for (number, point) in final.enumerated() {
            let rest = min((capacity - point.bytes) / last.size, last.values.count - 1)
            if point.seconds + last.values[rest] > most {
                (place, units, most) = (number, rest, point.seconds + last.values[rest])
            }
        }
        var answer = [units]
        for list in lists.dropFirst().reversed() {
            answer.append(list[place].units)
            place = list[place].previous
        }
        return answer.reversed()
    }

    private struct Point {
        let bytes: Int
        let seconds: Double
        let units: Int
        /// Its place in the list before.
        let previous: Int
    }

    private func extended(
        _ points: [Point], _ part: SizeClass, _ capacity: Int, _ best: Double, _ classes: Int
    ) -> [Point] {
        var all: [Point] = []
        for (place, point) in points.enumerated() {
            for units in 0..<part.values.count {
                let bytes = point.bytes + units * part.size
                guard bytes <= capacity else { break }
                all.append(
                    Point(
                        bytes: bytes, seconds: point.seconds + part.values[units], units: units,
                        previous: place))
            }
        }
        // Each list loses at most one step, and `best` alone is possible.
        var step = epsilon * best / Double(classes)
        if step == 0, all.count > Self.exactPoints { step = best * 1e-6 }
        all.sort { ($0.bytes, -$0.seconds, $0.previous) < ($1.bytes, -$1.seconds, $1.previous) }
        var kept: [Point] = []
        for point in all {
            guard let last = kept.last else {
                kept.append(point)
                continue
            }
            let rises =
                step > 0
                ? (point.seconds / step).rounded(.down) > (last.seconds / step).rounded(.down)
                : point.seconds > last.seconds
            if rises { kept.append(point) }
        }
        return kept
    }
}

/// The layers of one expert size: the most that any number of experts saves, and which.
private struct SizeClass {
    let size: Int
    /// By experts stored, `[0...most]`.
    let values: [Double]
    private let layers: [Int]
    /// Layers combined one after another, with what each took, by the sum of experts.
    private let choices: [(layer: Int, counts: [Int32])]
    /// Which concave layer each further expert goes to.
    private let units: [Int32]
    private let concaveLayers: [Int]
    /// How many experts the others have, by the sum of all.
    private let split: [Int32]

    init(
        layers: [Int], curves: [LayerCurve], size: Int, most: Int, method: StorageKnapsack.Method
    ) {
        self.size = size
        self.layers = layers
        let merged: [Int] =
            switch method {
            case .plain: []
            case .accelerated: layers.filter { curves[$0].isConcave }
            }
        let isMerged = Set(merged)
        var sums = [0.0]
        var choices: [(layer: Int, counts: [Int32])] = []
        for layer in layers where !isMerged.contains(layer) {
            let next = MaxConvolution.plain(curves[layer].gains, sums, most: most)
            choices.append((layer, next.choice))
            sums = next.values
        }
        concaveLayers = merged
        self.choices = choices
        units = MaxConvolution.merge(merged.map { curves[$0].gains }, most: most)
        let concave = Self.prefixSums(units, merged.map { curves[$0].gains })
        if merged.isEmpty {
            values = sums
            split = (0..<sums.count).map(Int32.init)
        } else if choices.isEmpty {
            values = concave
            split = Array(repeating: 0, count: concave.count)
        } else {
            (values, split) = MaxConvolution.smawk(arbitrary: sums, concave: concave, most: most)
        }
    }

    private static func prefixSums(_ units: [Int32], _ gains: [[Double]]) -> [Double] {
        var taken = [Int](repeating: 0, count: gains.count)
        var sums = [0.0]
        sums.reserveCapacity(units.count + 1)
        for unit in units {
            let (sequence, count) = (Int(unit), taken[Int(unit)])
            sums.append(
                sums[sums.count - 1] + gains[sequence][count + 1] - gains[sequence][count])
            taken[sequence] = count + 1
        }
        return sums
    }

    /// Writes what each layer has of `units` experts in all.
    func trace(_ units: Int, into counts: inout [Int]) {
        var rest = Int(split[units])
        for unit in self.units.prefix(units - rest) { counts[concaveLayers[Int(unit)]] += 1 }
        for (layer, taken) in choices.reversed() {
            counts[layer] = Int(taken[rest])
            rest -= Int(taken[rest])
        }
    }
}
