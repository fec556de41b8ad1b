import Foundation
import SystemModel

extension DeploymentSearch {
    /// Heat at the start, in parts of what an expert costs on average, and its part at the end.
    private static let (startHeat, endHeat) = (2.0, 0.003)

    /// Simulated annealing (Kirkpatrick, Gelatt, Vecchi 1983): random steps, of which those that
    /// help are made and others the more seldom the more they cost and the colder it is. Steps of
    /// whole groups lead out of what single experts cannot leave: a layer's experts of one memory
    /// move together, or change places with another layer's.
    ///
    /// - Parameters:
    ///   - work: looks at sets.
    ///   - warmth: of the start; 1 forgets where it began.
    ///   - value: what the best is the least of.
    /// - Returns: the best that was met.
    mutating func anneal(
        work: Int, warmth: Double = 1, using generator: inout SeededGenerator,
        value: (DeploymentSearch) -> Double = { $0.objective }
    ) -> [[Int]] {
        var best = (value: value(self), memories: memories)
        guard !numbers.isEmpty, problem.shape.experts > 0 else { return best.memories }
        let scale = objective / Double(numbers.count * problem.shape.experts)
        let end = max(0, workLeft - work)
        let whole = Double(max(1, workLeft - end))
        while workLeft > end {
            let done = 1 - Double(workLeft - end) / whole
            let heat = scale * warmth * Self.startHeat * pow(Self.endHeat / warmth, done)
            workLeft -= 1
            guard let steps = randomSteps(&generator), let difference = difference(steps) else {
                continue
            }
            guard difference <= 0 || generator.uniform() < exp(-difference / heat) else { continue }
            apply(steps)
            let now = value(self)
            if now < best.value - Self.leastGain { best = (now, memories) }
        }
        return best.memories
    }

    private func randomSteps(_ generator: inout SeededGenerator) -> [Step]? {
        let layer = numbers[Int.random(in: numbers.indices, using: &generator)]
        let expert = Int.random(in: 0..<problem.shape.experts, using: &generator)
        let from = memory(layer, expert)
        let other = numbers[Int.random(in: numbers.indices, using: &generator)]
        switch Int.random(in: 0..<8, using: &generator) {
        case 0, 1:
            let to = Int.random(in: 0...file, using: &generator)
            return to == from ? nil : [(layer, [(expert, to)])]
        case 2, 3:
            return exchange(layer, expert, layer, &generator)
        case 4, 5:
            return exchange(layer, expert, other, &generator)
        case 6:
            let to = Int.random(in: 0...file, using: &generator)
            return to == from ? nil : [(layer, moved(layer, from, to))]
        default:
            return exchangeGroups(layer, from, other, &generator)
        }
    }

    /// Two experts change places.
    private func exchange(
        _ layer: Int, _ expert: Int, _ other: Int, _ generator: inout SeededGenerator
    ) -> [Step]? {
        let second = Int.random(in: 0..<problem.shape.experts, using: &generator)
        let (from, to) = (memory(layer, expert), memory(other, second))
        guard from != to else { return nil }
        return layer == other
            ? [(layer, [(expert, to), (second, from)])]
            : [(layer, [(expert, to)]), (other, [(second, from)])]
    }

    /// All experts of a layer in one memory change places with all of another layer, or of the same
    /// one, in another memory.
    private func exchangeGroups(
        _ layer: Int, _ from: Int, _ other: Int, _ generator: inout SeededGenerator
    ) -> [Step]? {
        let to = Int.random(in: 0...file, using: &generator)
        guard from != to else { return nil }
        let (there, back) = (moved(layer, from, to), moved(other, to, from))
        return layer == other ? [(layer, there + back)] : [(layer, there), (other, back)]
    }

    private func moved(_ layer: Int, _ from: Int, _ to: Int) -> [DeploymentLayer.Change] {
        (0..<problem.shape.experts).filter { memory(layer, $0) == from }.map { ($0, to) }
    }
}
