/// A layer of more than 16 experts whose tokens ask for several: experts are taken in bundles, each
/// the rest of some set, by what they save per expert.
///
/// A set saves nothing before its slowest experts are all there, so the true gain of single experts
/// says nothing at first. A bundle's gain counts what it completes: the sets of its own group and
/// those that lack just one of its experts. What is reported as saved is exact.
struct LayerChain {
    /// What is saved once all of `members` of one set are stored.
    struct Demand {
        let set: Int
        /// Positions within the set.
        var missing: UInt64
        var seconds: Double
    }

    /// Sets of the layer that somebody asks for, with their experts within the layer.
    private let sets: [ArraySlice<Int32>]
    private let most: Int
    private var demands: [Demand]
    /// Worth of storing an expert besides what it completes, `[experts]`; may be negative.
    private let bonus: ContiguousArray<Double>
    private var alone: ContiguousArray<Double>
    private var isStored: ContiguousArray<Bool>
    private(set) var order: [Int32] = []
    /// Saved after each bundle, and how many experts it took.
    private(set) var steps: [(count: Int, seconds: Double)] = [(0, 0)]
    private var next: (experts: [Int32], rate: Double)?

    /// - Parameters:
    ///   - sets: experts within the layer; at most 64 in a set.
    ///   - demands: positions in `missing` are those of the set.
    ///   - bonus: `[experts]`.
    ///   - most: experts that fit.
    init(
        sets: [ArraySlice<Int32>], demands: [Demand], bonus: ContiguousArray<Double>, most: Int
    ) {
        self.most = most
        self.sets = sets
        self.demands = demands
        self.bonus = bonus
        alone = ContiguousArray(repeating: 0, count: bonus.count)
        isStored = ContiguousArray(repeating: false, count: bonus.count)
        choose()
    }

    /// What the next bundle saves per expert; nil where no bundle saves anything.
    var rate: Double? { next?.rate }

    /// Takes the next bundle.
    mutating func extend() {
        guard let bundle = next else { return }
        var saved = steps[steps.count - 1].seconds
        for expert in bundle.experts {
            isStored[Int(expert)] = true
            order.append(expert)
            saved += bonus[Int(expert)]
        }
        for place in demands.indices {
            saved += settle(&demands[place])
        }
        demands.removeAll { $0.missing == 0 }
        steps.append((order.count, saved))
        choose()
    }

    /// Takes what is stored out of a demand; returns what it saves if nothing is left.
    private func settle(_ demand: inout Demand) -> Double {
        let set = sets[demand.set]
        var rest = demand.missing
        while rest != 0 {
            let position = rest.trailingZeroBitCount
            rest &= rest - 1
            if isStored[Int(set[set.startIndex + position])] {
                demand.missing &= ~(1 << UInt64(position))
            }
        }
        return demand.missing == 0 ? demand.seconds : 0
    }

    /// Finds the bundle that fits and saves most per expert.
    private mutating func choose() {
        let room = most - order.count
        next = nil
        for expert in alone.indices { alone[expert] = isStored[expert] ? -1 : bonus[expert] }
        for demand in demands where demand.missing & (demand.missing - 1) == 0 {
            let set = sets[demand.set]
            let position = demand.missing.trailingZeroBitCount
            alone[Int(set[set.startIndex + position])] += demand.seconds
        }
        guard room > 0 else { return }
        var best = 0.0
        var bundle: (set: Int, missing: UInt64)?
        var single: Int?
        for expert in alone.indices where alone[expert] > best {
            best = alone[expert]
            single = expert
        }
        for place in demands.indices where demands[place].missing.nonzeroBitCount > 1 {
            let missing = demands[place].missing
            let count = missing.nonzeroBitCount
            guard count <= room else { continue }
            let rate = bundleSeconds(place) / Double(count)
            if rate > best {
                (best, bundle, single) = (rate, (demands[place].set, missing), nil)
            }
        }
        if let single {
            next = ([Int32(single)], best)
        } else if let bundle {
            next = (Self.experts(sets[bundle.set], bundle.missing), best)
        }
    }

    /// What completing one demand saves: its own group's demands within it, and single experts'.
    private func bundleSeconds(_ place: Int) -> Double {
        let (set, missing) = (demands[place].set, demands[place].missing)
        var seconds = 0.0
        var other = place
        while other > 0, demands[other - 1].set == set { other -= 1 }
        while other < demands.count, demands[other].set == set {
            let rest = demands[other].missing
            if rest & ~missing == 0, rest & (rest - 1) != 0 { seconds += demands[other].seconds }
            other += 1
        }
        for expert in Self.experts(sets[set], missing) { seconds += alone[Int(expert)] }
        return seconds
    }

    private static func experts(_ set: ArraySlice<Int32>, _ positions: UInt64) -> [Int32] {
        var rest = positions
        var experts: [Int32] = []
        while rest != 0 {
            experts.append(set[set.startIndex + rest.trailingZeroBitCount])
            rest &= rest - 1
        }
        return experts
    }

    /// The curve of what was taken so far.
    func curve() -> LayerCurve {
        var gains: [Double] = []
        var lengths: [Int32] = []
        var best = (count: 0, seconds: 0.0)
        var step = 0
        for count in 0...order.count {
            while step < steps.count, steps[step].count <= count {
                if steps[step].seconds > best.seconds { best = steps[step] }
                step += 1
            }
            gains.append(best.seconds)
            lengths.append(Int32(best.count))
        }
        return LayerCurve(gains: gains, choice: .prefix(order, lengths: lengths))
    }
}
