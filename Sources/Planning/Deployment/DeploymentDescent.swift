import SystemModel

extension DeploymentSearch {
    /// Above, experts change places between two devices only within a layer.
    private static let fewDevices = 8

    /// Takes every step that helps until none does, or the work is done.
    mutating func descend() {
        var hasImproved = true
        while hasImproved, workLeft > 0 {
            hasImproved = false
            for layer in numbers {
                for expert in 0..<problem.shape.experts where workLeft > 0 {
                    if move(layer, expert) { hasImproved = true }
                }
            }
            if exchangeAcross() { hasImproved = true }
            for layer in numbers {
                for expert in 0..<problem.shape.experts where workLeft > 0 {
                    if exchangeWithin(layer, expert) { hasImproved = true }
                }
            }
        }
    }

    /// The best other place for one expert, if that helps.
    private mutating func move(_ layer: Int, _ expert: Int) -> Bool {
        let old = memory(layer, expert)
        var best = (difference: -Self.leastGain, memory: old)
        for memory in 0...file where memory != old {
            guard let difference = difference([(layer, [(expert, memory)])]) else { continue }
            if difference < best.difference { best = (difference, memory) }
        }
        guard best.memory != old else { return false }
        apply([(layer, [(expert, best.memory)])])
        return true
    }

    /// Changes places with another expert of the layer, if that helps.
    private mutating func exchangeWithin(_ layer: Int, _ expert: Int) -> Bool {
        for other in (expert + 1)..<max(expert + 1, problem.shape.experts) where workLeft > 0 {
            let places = (memory(layer, expert), memory(layer, other))
            guard places.0 != places.1 else { continue }
            if tryOut([(layer, [(expert, places.1), (other, places.0)])]) { return true }
        }
        return false
    }

    /// Experts of two layers change places, each the one of its layer that loses least or gains
    /// most, as long as that helps.
    private mutating func exchangeAcross() -> Bool {
        let pairs = pairs
        var tables = numbers.map { layer in pairs.map { best(layer, $0) } }
        var hasImproved = false
        var again = true
        while again, workLeft > 0 {
            again = false
            for one in numbers.indices {
                for two in numbers.indices where two != one && workLeft > 0 {
                    guard let pair = exchange(one, two, tables, pairs) else { continue }
                    // The rest of both tables may be out of date: steps are tried first.
                    for (layer, pair) in [(one, pair), (two, pairs[pair].back)] {
                        tables[layer][pair] = best(numbers[layer], pairs[pair])
                    }
                    (hasImproved, again) = (true, true)
                }
            }
        }
        return hasImproved
    }

    /// Two memories between which experts of two layers change places.
    private struct Pair {
        let from: Int
        let to: Int
        /// The number of the pair the other way.
        var back = 0
    }

    /// The expert of a layer that goes from one memory to the other at the least objective.
    private struct Leaving {
        let expert: Int
        let difference: Double
    }

    /// Among devices nobody looks where there are many.
    private var pairs: [Pair] {
        var pairs: [Pair] = []
        let few = problem.devices.count <= Self.fewDevices
        for from in 0...file {
            for to in 0..<from where few || from == file || to == 0 {
                pairs.append(Pair(from: from, to: to, back: pairs.count + 1))
                pairs.append(Pair(from: to, to: from, back: pairs.count - 1))
            }
        }
        return pairs
    }

    private mutating func best(_ layer: Int, _ pair: Pair) -> Leaving? {
        var best: Leaving?
        for expert in 0..<problem.shape.experts where memory(layer, expert) == pair.from {
            guard workLeft > 0 else { break }
            let difference = gain(layer, expert, pair.to)
            if difference < best?.difference ?? .infinity {
                best = Leaving(expert: expert, difference: difference)
            }
        }
        return best
    }

    /// Makes the exchange between two layers that gains most, if any does; which pair it was.
    private mutating func exchange(
        _ one: Int, _ two: Int, _ tables: [[Leaving?]], _ pairs: [Pair]
    ) -> Int? {
        var least = (difference: -Self.leastGain, pair: Int?.none)
        for (number, pair) in pairs.enumerated() {
            guard let leaving = tables[one][number], let coming = tables[two][pair.back],
                memory(numbers[one], leaving.expert) == pair.from,
                memory(numbers[two], coming.expert) == pair.to
            else { continue }
            let sum = leaving.difference + coming.difference
            if sum < least.difference { least = (sum, number) }
        }
        guard let number = least.pair, let leaving = tables[one][number],
            let coming = tables[two][pairs[number].back]
        else { return nil }
        let hasGained = tryOut([
            (numbers[one], [(leaving.expert, pairs[number].to)]),
            (numbers[two], [(coming.expert, pairs[number].from)]),
        ])
        return hasGained ? number : nil
    }
}
