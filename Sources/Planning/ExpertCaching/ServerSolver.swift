/// What one server should store, given what all others do.
///
/// Remembers the curve of every layer and computes it again only where another server's content
/// has changed since.
struct ServerSolver {
    /// Curves are remembered up to this many numbers in all.
    private static let rememberedValues = 1 << 22

    /// What is kept of a layer.
    private enum Remembered {
        case nothing
        /// What each expert saves alone.
        case singles(ContiguousArray<Double>)
        case curve(LayerCurve)
    }

    private let knapsack: StorageKnapsack
    /// What an expert is worth besides what it completes: this share of what it would save if a
    /// set's time were the mean over its experts and not their maximum. Leads to sets that one
    /// server alone cannot complete.
    private var spread = 0.0
    /// Seconds per token that moving a byte must save.
    private var pricePerByte = 0.0
    /// `[servers]`: experts that need not be moved.
    private var running: [Set<Int>] = []
    /// `[layers]`: how often its content has changed.
    private var version: [Int32]
    /// `[servers · layers]`: the version that the server's content or curve answers.
    private var seen: [Int32]
    private var remembered: [Remembered]
    private var bundles: BundleSearch

    init(_ index: CachingIndex, _ knapsack: StorageKnapsack) {
        self.knapsack = knapsack
        let count = index.serverCount * index.layers.count
        bundles = BundleSearch(index)
        version = Array(repeating: 0, count: index.layers.count)
        seen = Array(repeating: -1, count: count)
        let values = index.serverCount * (index.expertCount + 2 * index.layers.count)
        remembered = Array(repeating: .nothing, count: values <= Self.rememberedValues ? count : 0)
    }

    /// Changes what counts; forgets everything.
    mutating func weigh(spread: Double, pricePerByte: Double = 0, running: [[Int]] = []) {
        self.spread = spread
        self.pricePerByte = pricePerByte
        self.running = running.map(Set.init)
        forget()
    }

    /// Forgets every answer, as before the first.
    mutating func forget() {
        for place in seen.indices { seen[place] = -1 }
    }

    /// Forgets the answers for one server, which has changed itself.
    mutating func forget(_ server: Int) {
        for layer in version.indices { seen[server * version.count + layer] = -1 }
    }

    /// Whether nothing that the server's content depends on has changed since it was solved.
    func isCurrent(_ server: Int) -> Bool {
        version.indices.allSatisfy { seen[server * version.count + $0] == version[$0] }
    }

    /// Notes that a server, just solved, now stores something else.
    mutating func note(_ server: Int, from old: [Int], _ state: borrowing CachingState) {
        let new = state.content[server]
        var changed: [Int] = []
        for expert in Self.difference(old, new) {
            let layer = Int(state.index.expertLayer[expert])
            if changed.last != layer { changed.append(layer) }
        }
        for layer in changed {
            version[layer] += 1
            seen[server * version.count + layer] = version[layer]
        }
    }

    /// What only one of two ascending lists has, ascending.
    private static func difference(_ left: [Int], _ right: [Int]) -> [Int] {
        var (place, other) = (0, 0)
        var difference: [Int] = []
        while place < left.count || other < right.count {
            let first = place < left.count ? left[place] : Int.max
            let second = other < right.count ? right[other] : Int.max
            if first != second { difference.append(min(first, second)) }
            if first <= second { place += 1 }
            if second <= first { other += 1 }
        }
        return difference
    }

    /// The experts that save most at this server.
    ///
    /// - Parameter state: without the server's own content.
    mutating func solve(_ server: Int, _ state: borrowing CachingState) -> [Int] {
        let index = state.index
        let capacity = index.storage[server]
        var curves = [LayerCurve](repeating: .nothing, count: index.layers.count)
        var singleLayers: [Int] = []
        bundles.clear()
        for number in index.layers.indices {
            let layer = index.layers[number]
            let most = min(capacity / layer.bytes, layer.experts.count)
            guard most > 0, !layer.entries.isEmpty else { continue }
            if layer.isSingle {
                singleLayers.append(number)
            } else if layer.experts.count <= LayerCurve.mostSubsetExperts {
                curves[number] = subsetCurve(number, server, most, state)
            } else {
                addBundles(number, server, most, state)
            }
        }
        addSingles(singleLayers, server, state, &curves)
        // More of a layer than that is never its share.
        bundles.extend(bytes: 2 * capacity)
        for chain in bundles.chains { curves[chain.layer] = chain.curve() }
        for layer in version.indices { seen[server * version.count + layer] = version[layer] }
        let counts = knapsack.solve(
            curves, bytes: index.layers.map(\.bytes), capacity: capacity)
        return counts.indices.flatMap { layer in
            let first = index.layers[layer].experts.lowerBound
            return curves[layer].experts(counts[layer]).map { first + $0 }
        }
    }

    /// The curves of layers with one expert per token. The accelerated knapsack leaves out experts
    /// that are not among as many best of their size as fit.
    private mutating func addSingles(
        _ layers: [Int], _ server: Int, _ state: borrowing CachingState,
        _ curves: inout [LayerCurve]
    ) {
        let capacity = state.index.storage[server]
        for size in Set(layers.map { state.index.layers[$0].bytes }).sorted() {
            let part = layers.filter { state.index.layers[$0].bytes == size }
            let values = part.map { rememberedSingles($0, server, state) }
            let least =
                knapsack.method == .accelerated
                ? LayerCurve.threshold(values, count: capacity / size) : 0
            for (number, values) in zip(part, values) {
                curves[number] = LayerCurve(
                    singles: values, most: min(capacity / size, values.count), least: least)
            }
        }
    }

    private mutating func rememberedSingles(
        _ number: Int, _ server: Int, _ state: borrowing CachingState
    ) -> ContiguousArray<Double> {
        let place = server * version.count + number
        if !remembered.isEmpty, seen[place] == version[number],
            case .singles(let values) = remembered[place]
        {
            return values
        }
        let values = singles(number, server, state)
        if !remembered.isEmpty { remembered[place] = .singles(values) }
        return values
    }

    /// The curve of a layer of few experts.
    private mutating func subsetCurve(
        _ number: Int, _ server: Int, _ most: Int, _ state: borrowing CachingState
    ) -> LayerCurve {
        let place = server * version.count + number
        if !remembered.isEmpty, seen[place] == version[number],
            case .curve(let curve) = remembered[place]
        {
            return curve
        }
        var subsets = subsets(number, server, state)
        let curve = LayerCurve(
            subsets: &subsets, experts: state.index.layers[number].experts.count, most: most)
        if !remembered.isEmpty { remembered[place] = .curve(curve) }
        return curve
    }

    private func singles(
        _ number: Int, _ server: Int, _ state: borrowing CachingState
    ) -> ContiguousArray<Double> {
        let index = state.index
        let layer = index.layers[number]
        var values = bonus(number, server, state)
        for entry in layer.entries {
            let offer = index.seconds(server: server, user: Int(index.entryUser[entry]))
            let saved = state.entrySeconds[entry] - offer
            guard saved > 0 else { continue }
            let expert = Int(
                index.cellExpert[
                    Int(index.entryCells[Int(index.entryStart[entry])])])
            values[expert - layer.experts.lowerBound] += index.entryWeight[entry] * saved
        }
        return values
    }

    private func subsets(
        _ number: Int, _ server: Int, _ state: borrowing CachingState
    ) -> ContiguousArray<Double> {
        let index = state.index
        let layer = index.layers[number]
        var subsets = ContiguousArray<Double>(repeating: 0, count: 1 << layer.experts.count)
        for (expert, worth) in bonus(number, server, state).enumerated() {
            subsets[1 << expert] = worth
        }
        for entry in layer.entries {
            var mask = 0
            let offer = index.seconds(server: server, user: Int(index.entryUser[entry]))
            state.demands(entry, offer) { position, seconds in
                let cell = Int(
                    index.entryCells[Int(index.entryStart[entry]) + position])
                mask |= 1 << (Int(index.cellExpert[cell]) - layer.experts.lowerBound)
                subsets[mask] += seconds
            }
        }
        return subsets
    }

    private mutating func addBundles(
        _ number: Int, _ server: Int, _ most: Int, _ state: borrowing CachingState
    ) {
        let index = state.index
        let layer = index.layers[number]
        for entry in layer.entries {
            let set = Int(index.entrySet[entry])
            var missing: UInt64 = 0
            let offer = index.seconds(server: server, user: Int(index.entryUser[entry]))
            state.demands(entry, offer) { position, seconds in
                missing |= 1 << UInt64(position)
                if seconds > 0 { bundles.add(set: set, missing: missing, seconds: seconds) }
            }
        }
        let worth = spread > 0 || pricePerByte > 0 ? bonus(number, server, state) : nil
        bundles.finish(layer: number, most: most, worth: worth)
    }

    /// Worth of each of a layer's experts besides what it completes.
    private func bonus(
        _ number: Int, _ server: Int, _ state: borrowing CachingState
    ) -> ContiguousArray<Double> {
        let index = state.index
        let layer = index.layers[number]
        let first = layer.experts.lowerBound
        var worth = ContiguousArray<Double>(repeating: 0, count: layer.experts.count)
        if pricePerByte > 0 {
            for expert in layer.experts where !running[server].contains(expert) {
                worth[expert - first] = -pricePerByte * Double(layer.bytes)
            }
        }
        guard spread > 0, !layer.isSingle else { return worth }
        for entry in layer.entries {
            let offer = index.seconds(server: server, user: Int(index.entryUser[entry]))
            guard state.entrySeconds[entry] > offer else { continue }
            let members = index.members(of: entry)
            let share = spread * index.entryWeight[entry] / Double(members.count)
            for member in members {
                let cell = Int(index.entryCells[member])
                let saved = state.seconds[cell] - offer
                guard saved > 0 else { continue }
                worth[Int(index.cellExpert[cell]) - first] += share * saved
            }
        }
        return worth
    }
}

extension LayerCurve {
    /// Layers of so many experts are solved exactly.
    static let mostSubsetExperts = 16

    /// Nothing fits or nothing is asked for.
    static let nothing = LayerCurve(gains: [0], choice: .prefix([], lengths: [0]))
}
