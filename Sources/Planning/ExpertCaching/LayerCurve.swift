/// What one layer's experts save at one server, by how many of them it stores.
struct LayerCurve: Sendable {
    /// `h_l`: seconds per token saved by the best `count` experts found, `[0...most]`; from 0,
    /// never falling.
    let gains: [Double]
    /// How to store them.
    let choice: Choice

    enum Choice: Sendable {
        /// The first `lengths[count]` experts of a list, numbered within the layer.
        case prefix([Int32], lengths: [Int32])
        /// Any subset of up to 16 experts, `[0...most]`.
        case subset([UInt32])
    }

    var most: Int { gains.count - 1 }

    /// Whether each further expert saves no more than the one before, but for rounding.
    var isConcave: Bool {
        let tolerance = 1e-13 * gains[most]
        return gains.indices.dropFirst(2).allSatisfy {
            gains[$0] - gains[$0 - 1] <= gains[$0 - 1] - gains[$0 - 2] + tolerance
        }
    }

    /// The experts that `count` stands for, within the layer, ascending.
    func experts(_ count: Int) -> [Int] {
        switch choice {
        case .prefix(let list, let lengths):
            return list.prefix(Int(lengths[count])).map(Int.init).sorted()
        case .subset(let subsets):
            return (0..<32).filter { subsets[count] >> $0 & 1 == 1 }
        }
    }
}

extension LayerCurve {
    /// One expert per token: gains add up, so the best come first. Concave. O(n log n).
    ///
    /// - Parameters:
    ///   - values: what each expert saves alone.
    ///   - most: experts that fit.
    ///   - least: experts that save less are never stored.
    init(singles values: ContiguousArray<Double>, most: Int, least: Double = 0) {
        var useful = values.indices.filter { values[$0] > 0 && values[$0] >= least }
        useful.sort { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
        let list = useful.prefix(most)
        var gains = [0.0]
        gains.reserveCapacity(list.count + 1)
        for expert in list { gains.append(gains[gains.count - 1] + values[expert]) }
        self.gains = gains
        choice = .prefix(list.map(Int32.init), lengths: (0...list.count).map(Int32.init))
    }

    /// A gain that at least `count` experts reach and hardly more; 0 if no more experts gain.
    ///
    /// What a layer with one expert per token adds to the best `count` of all is among these, so
    /// the rest need not be sorted. O(values).
    ///
    /// - Parameter values: what each expert saves alone, by layer.
    static func threshold(_ values: [ContiguousArray<Double>], count: Int) -> Double {
        // A double's leading bits order it like its logarithm: 512 steps per doubling here.
        let shift = 43
        let top = values.reduce(0) { max($0, $1.max() ?? 0) }.bitPattern >> UInt64(shift)
        var counts = [Int](repeating: 0, count: 8 * 512)
        for layer in values {
            for value in layer where value > 0 {
                let step = top - value.bitPattern >> UInt64(shift)
                if step < counts.count { counts[Int(step)] += 1 }
            }
        }
        var sum = 0
        for (step, here) in counts.enumerated() {
            sum += here
            if sum >= count { return Double(bitPattern: (top - UInt64(step)) << UInt64(shift)) }
        }
        return 0
    }

    /// Every subset of a layer of up to 16 experts, exact.
    ///
    /// - Parameters:
    ///   - subsets: `[2^experts]`, by bits: what is saved once exactly these experts are there,
    ///     besides what their own subsets save. Overwritten.
    ///   - most: experts that fit.
    /// - Complexity: O(experts · 2^experts).
    init(subsets: inout ContiguousArray<Double>, experts: Int, most: Int) {
        for bit in 0..<experts {
            let half = 1 << bit
            for mask in subsets.indices where mask & half != 0 {
                subsets[mask] += subsets[mask ^ half]
            }
        }
        let most = min(most, experts)
        var gains = [Double](repeating: 0, count: most + 1)
        var best = [UInt32](repeating: 0, count: most + 1)
        for mask in subsets.indices {
            let count = mask.nonzeroBitCount
            guard count <= most, subsets[mask] > gains[count] else { continue }
            gains[count] = subsets[mask]
            best[count] = UInt32(mask)
        }
        for count in gains.indices.dropFirst() where gains[count] <= gains[count - 1] {
            gains[count] = gains[count - 1]
            best[count] = best[count - 1]
        }
        while gains.count > 1, gains[gains.count - 1] == gains[gains.count - 2] {
            gains.removeLast()
            best.removeLast()
        }
        self.gains = gains
        choice = .subset(best)
    }
}
