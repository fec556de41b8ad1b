/// Layers of more than 16 experts whose tokens ask for several, at one server: experts are taken in
/// bundles, each the rest of some set, by what they save per expert.
///
/// A set saves nothing before its slowest experts are all there, so the true gain of single experts
/// says nothing at first. A bundle's gain counts what it completes: demands of its own set and
/// those that lack just one of its experts. What a chain says it saves is exact.
struct BundleSearch {
    /// One layer: the bundles taken so far and the one to come.
    struct Chain {
        let layer: Int
        /// Experts that fit.
        let most: Int
        fileprivate let demands: Range<Int>
        /// Experts, numbered within the layer.
        fileprivate(set) var order: [Int32] = []
        /// Saved after each bundle, and how many experts there are by then.
        fileprivate var steps: [(count: Int, seconds: Double)] = [(0, 0)]
        /// What the next bundle saves per expert; 0 where no bundle saves anything.
        fileprivate(set) var rate = 0.0
        /// The next bundle: one expert, or the missing ones of a demand.
        fileprivate var next = Bundle.expert(0)
    }

    fileprivate enum Bundle {
        case expert(Int)
        case demand(Int)
    }

    private let index: CachingIndex
    private(set) var chains: [Chain] = []
    /// `[demands]`: what is saved once all missing experts of a set are stored; 0: none is missing.
    private var set: ContiguousArray<Int32> = []
    private var missing: ContiguousArray<UInt64> = []
    private var seconds: ContiguousArray<Double> = []
    /// The next demand of the same set, or -1.
    private var next: ContiguousArray<Int32> = []
    /// `[sets]`: a demand, or -1.
    private var head: ContiguousArray<Int32>
    /// `[experts]`: worth of storing an expert besides what it completes; may be negative.
    private var worth: ContiguousArray<Double>
    /// `[experts]`: worth and what it completes alone.
    private var alone: ContiguousArray<Double>
    private var isStored: ContiguousArray<Bool>
    /// Whether any expert of the layer looked at saves something alone.
    private var isAnyAlone = false

    init(_ index: CachingIndex) {
        self.index = index
        head = ContiguousArray(repeating: -1, count: index.setStart.count)
        worth = ContiguousArray(repeating: 0, count: index.expertCount)
        alone = worth
        isStored = ContiguousArray(repeating: false, count: index.expertCount)
    }

    /// Forgets all layers. O(what was added).
    mutating func clear() {
        for demand in set.indices { head[Int(set[demand])] = -1 }
        for chain in chains {
            let first = index.layers[chain.layer].experts.lowerBound
            for expert in chain.order { isStored[first + Int(expert)] = false }
        }
        chains.removeAll(keepingCapacity: true)
        set.removeAll(keepingCapacity: true)
        missing.removeAll(keepingCapacity: true)
        seconds.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
    }

    /// Adds a demand of the layer that is finished next: positions within a set, and what storing
    /// all of them saves besides what parts of them do.
    mutating func add(set number: Int, missing positions: UInt64, seconds value: Double) {
        var demand = head[number]
        while demand >= 0 {
            if missing[Int(demand)] == positions {
                seconds[Int(demand)] += value
                return
            }
            demand = next[Int(demand)]
        }
        next.append(head[number])
        head[number] = Int32(set.count)
        set.append(Int32(number))
        missing.append(positions)
        seconds.append(value)
    }

    /// Makes a layer of all demands added since the last one.
    ///
    /// - Parameter worth: of storing an expert besides what it completes, `[experts of the layer]`.
    mutating func finish(layer: Int, most: Int, worth values: ContiguousArray<Double>?) {
        let first = index.layers[layer].experts.lowerBound
        for expert in index.layers[layer].experts {
            worth[expert] = values.map { $0[expert - first] } ?? 0
        }
        let start = chains.last?.demands.upperBound ?? 0
        chains.append(Chain(layer: layer, most: most, demands: start..<set.count))
        choose(chains.count - 1)
    }

    /// Takes bundles of all layers, best per byte first, until they have so many bytes.
    mutating func extend(bytes limit: Int) {
        var bytes = 0
        while bytes < limit {
            var best = 0.0
            var place: Int?
            for number in chains.indices {
                let rate =
                    chains[number].rate / Double(index.layers[chains[number].layer].bytes)
                if rate > best { (best, place) = (rate, number) }
            }
            guard let place else { return }
            bytes += take(place) * index.layers[chains[place].layer].bytes
        }
    }

    /// Takes a layer's next bundle; returns how many experts that are.
    private mutating func take(_ place: Int) -> Int {
        let first = index.layers[chains[place].layer].experts.lowerBound
        let before = chains[place].order.count
        var saved = chains[place].steps[chains[place].steps.count - 1].seconds
        forEach(chains[place].next) { search, expert in
            search.isStored[expert] = true
            search.chains[place].order.append(Int32(expert - first))
            saved += search.worth[expert]
        }
        for demand in chains[place].demands where missing[demand] != 0 {
            settle(demand)
            if missing[demand] == 0 { saved += seconds[demand] }
        }
        chains[place].steps.append((chains[place].order.count, saved))
        choose(place)
        return chains[place].order.count - before
    }

    private mutating func forEach(
        _ bundle: Bundle, _ body: (inout BundleSearch, _ expert: Int) -> Void
    ) {
        switch bundle {
        case .expert(let expert): body(&self, expert)
        case .demand(let demand):
            let start = Int(index.setStart[Int(set[demand])])
            var rest = missing[demand]
            while rest != 0 {
                body(&self, Int(index.setExperts[start + rest.trailingZeroBitCount]))
                rest &= rest - 1
            }
        }
    }

    /// Takes what is stored out of a demand.
    private mutating func settle(_ demand: Int) {
        let start = Int(index.setStart[Int(set[demand])])
        var rest = missing[demand]
        var left = rest
        while rest != 0 {
            let position = rest.trailingZeroBitCount
            rest &= rest - 1
            if isStored[Int(index.setExperts[start + position])] { left &= ~(1 << position) }
        }
        missing[demand] = left
    }

    /// Finds a layer's bundle that fits and saves most per expert.
    private mutating func choose(_ place: Int) {
        let room = chains[place].most - chains[place].order.count
        let experts = index.layers[chains[place].layer].experts
        var best = 0.0
        var bundle = Bundle.expert(0)
        if room > 0 {
            countAlone(chains[place].demands, experts)
            for expert in isAnyAlone ? experts : 0..<0 where alone[expert] > best {
                best = alone[expert]
                bundle = .expert(expert)
            }
            for demand in chains[place].demands {
                let count = missing[demand].nonzeroBitCount
                guard count > 1, count <= room else { continue }
                let rate = bundleSeconds(demand) / Double(count)
                if rate > best { (best, bundle) = (rate, .demand(demand)) }
            }
        }
        chains[place].rate = best
        chains[place].next = bundle
    }

    /// What each expert that is not stored saves alone.
    private mutating func countAlone(_ demands: Range<Int>, _ experts: Range<Int>) {
        isAnyAlone = false
        for expert in experts {
            alone[expert] = isStored[expert] ? 0 : worth[expert]
            if alone[expert] != 0 { isAnyAlone = true }
        }
        for demand in demands {
            let positions = missing[demand]
            guard positions != 0, positions & (positions - 1) == 0 else { continue }
            let start = Int(index.setStart[Int(set[demand])])
            let expert = Int(index.setExperts[start + positions.trailingZeroBitCount])
            alone[expert] += seconds[demand]
            isAnyAlone = true
        }
    }

    /// What completing a demand saves: demands of its set within it, and single experts'.
    private func bundleSeconds(_ demand: Int) -> Double {
        let positions = missing[demand]
        var sum = 0.0
        var other = head[Int(set[demand])]
        while other >= 0 {
            let rest = missing[Int(other)]
            if rest & ~positions == 0, rest & (rest &- 1) != 0 { sum += seconds[Int(other)] }
            other = next[Int(other)]
        }
        guard isAnyAlone else { return sum }
        let start = Int(index.setStart[Int(set[demand])])
        var rest = positions
        while rest != 0 {
            sum += alone[Int(index.setExperts[start + rest.trailingZeroBitCount])]
            rest &= rest - 1
        }
        return sum
    }
}

extension BundleSearch.Chain {
    /// The curve of what was taken so far.
    func curve() -> LayerCurve {
        var gains: [Double] = []
        var lengths: [Int32] = []
        gains.reserveCapacity(order.count + 1)
        lengths.reserveCapacity(order.count + 1)
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
