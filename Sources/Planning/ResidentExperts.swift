package import SystemModel

/// Which experts the base station's own memory should hold, so that tokens wait for as few round
/// trips as possible (methods, section 3, for one server at no distance; ours).
///
/// A layer costs a token no round trip only if all experts that it visits there are held. So a
/// layer's saving over the number of experts held is not concave, and popular experts one by one
/// save little. Here each layer has the best set of every size — by enumeration for up to 12
/// experts, by peeling off the least needed expert above — and layers share the memory by dynamic
/// programming.
package struct ResidentExperts: Sendable {
    /// Layers of up to this many experts are enumerated: 4,096 sets.
    private static let enumeratedExperts = 12
    /// Memory is dealt in at most this many units.
    private static let units = 4_096

    /// One layer: by number of experts held, which, and the share of tokens that need no other.
    struct Curve: Sendable, Equatable {
        var experts: [[Int]]
        var saved: [Double]
    }

    /// The experts to hold.
    package let experts: Set<ExpertID>
    /// Round trips that a token still needs on average, by the recorded routing.
    package let roundTripsPerToken: Double

    /// - Parameters:
    ///   - sets: `[layers]`: the sets of experts that tokens visited, and how often; nil where
    ///     nothing was recorded: all sets of K are then taken for equally likely.
    /// - Complexity: O(layers · (units · experts + 2^experts · sets)) with enumeration.
    package init(_ shape: ModelShape, sets: [[RoutedSet]]?, budgetBytes: Int) {
        let curves = (0..<shape.layers).map { layer -> Curve? in
            guard shape.expertBytes[layer] > 0 else { return nil }
            guard let sets = sets?[layer], !sets.isEmpty else { return Self.uniform(shape) }
            return shape.experts <= Self.enumeratedExperts
                ? Self.enumerated(sets, experts: shape.experts)
                : Self.peeled(sets, experts: shape.experts)
        }
        let counts = Self.shared(curves, shape.expertBytes, budgetBytes)
        var held: Set<ExpertID> = []
        var trips = 0.0
        for (layer, curve) in curves.enumerated() {
            guard let curve else { continue }
            trips += 1 - curve.saved[counts[layer]]
            for expert in curve.experts[counts[layer]] {
                held.insert(ExpertID(layer: layer, expert: expert))
            }
        }
        experts = held
        roundTripsPerToken = trips
    }

    /// Nothing is known: any `c` experts hold a random set of K with this probability.
    private static func uniform(_ shape: ModelShape) -> Curve {
        let (all, visited) = (shape.experts, shape.expertsPerToken)
        return Curve(
            experts: (0...all).map { Array(0..<$0) },
            saved: (0...all).map { held in
                (0..<visited).reduce(1.0) {
                    $0 * Double(max(0, held - $1)) / Double(max(1, all - $1))
                }
            })
    }

    /// The best set of every size.
    static func enumerated(_ sets: [RoutedSet], experts: Int) -> Curve {
        let total = Double(sets.reduce(0) { $0 + $1.count })
        let masks = sets.map { set in set.experts.reduce(0) { $0 | 1 << $1 } }
        var curve = Curve(
            experts: Array(repeating: [], count: experts + 1),
            saved: Array(repeating: -1, count: experts + 1))
        for held in 0..<(1 << experts) {
            var saved = 0
            for (mask, set) in zip(masks, sets) where mask & ~held == 0 { saved += set.count }
            let size = held.nonzeroBitCount
            guard Double(saved) / total > curve.saved[size] else { continue }
            curve.saved[size] = Double(saved) / total
            curve.experts[size] = (0..<experts).filter { held >> $0 & 1 == 1 }
        }
        return curve
    }

    /// From all experts down, each time without the one that fewest tokens miss.
    static func peeled(_ sets: [RoutedSet], experts: Int) -> Curve {
        let total = Double(sets.reduce(0) { $0 + $1.count })
        var alive = sets
        var held = Array(0..<experts)
        var curve = Curve(
            experts: Array(repeating: [], count: experts + 1),
            saved: Array(repeating: 0, count: experts + 1))
        for size in stride(from: experts, through: 0, by: -1) {
            curve.experts[size] = held
            curve.saved[size] = Double(alive.reduce(0) { $0 + $1.count }) / total
            var missing = [Int](repeating: 0, count: experts)
            for set in alive { for expert in set.experts { missing[expert] += set.count } }
            guard let least = held.min(by: { (missing[$0], $0) < (missing[$1], $1) }) else {
                break
            }
            held.removeAll { $0 == least }
            alive.removeAll { $0.experts.contains(least) }
        }
        return curve
    }

    /// How many experts each layer gets, so that the sum of savings is largest.
    private static func shared(
        _ curves: [Curve?], _ expertBytes: [Int], _ budget: Int
    ) -> [Int] {
        let least = expertBytes.filter { $0 > 0 }.min() ?? 1
        // Equal experts are dealt exactly; others at sizes rounded up.
        let unit =
            Set(expertBytes.filter { $0 > 0 }).count <= 1 && budget / least <= units
            ? least : max(1, (budget + units - 1) / units)
        let all = curves.indices.reduce(0) { sum, layer in
            sum + (expertBytes[layer] + unit - 1) / unit
                * ((curves[layer]?.saved.count ?? 1) - 1)
        }
        let room = min(budget / unit, all)
        var best = [Double](repeating: 0, count: room + 1)
        var choices: [[Int]] = []
        for (layer, curve) in curves.enumerated() {
            var choice = [Int](repeating: 0, count: room + 1)
            if let curve {
                let size = (expertBytes[layer] + unit - 1) / unit
                var next = best
                for left in 0...room {
                    for count in 0..<curve.saved.count where count * size <= left {
                        let value = best[left - count * size] + curve.saved[count]
                        if value > next[left] || count == 0 && value >= next[left] {
                            (next[left], choice[left]) = (value, count)
                        }
                    }
                }
                best = next
            }
            choices.append(choice)
        }
        var left = room
        var counts = [Int](repeating: 0, count: curves.count)
        for layer in curves.indices.reversed() {
            counts[layer] = choices[layer][left]
            left -= counts[layer] * ((expertBytes[layer] + unit - 1) / unit)
        }
        return counts
    }
}
