import Foundation
package import SystemModel

/// Deals a model's experts to the memories of a base station and its devices (SlimCaching's problem
/// for one user, with time that adds up at a device and frames that cost; ours).
///
/// From several starts, among them the pooled deployment that bounds the time, experts and groups
/// of experts move and change places as long as that helps; the best go through annealing. Of
/// deployments that take about as long as the best, the one with the fewest frames is taken. Work
/// is counted and not timed, so a plan follows from its problem.
package struct DeploymentPlanner {
    /// Looks at sets in the descents from all starts together.
    private static let descentWork = 60_000_000
    /// Looks in an annealing for each expert of the model, and at most.
    private static let (annealingWork, mostAnnealing) = (10_000, 4_000_000)
    /// Below so many random steps for each expert annealing finds nothing.
    private static let leastSteps = 100
    /// Drawn starts; starts that are annealed.
    private static let (drawnStarts, annealedStarts) = (3, 4)
    /// Starts that are made better of a model too large for annealing, and prices of a frame tried.
    private static let (largeStarts, largeProbes) = (3, 3)
    /// What a frame is said to cost for pooled starts, in parts of the fastest device's.
    private static let startPrices = [0.0, 0.1, 0.3, 1]
    /// How warm annealing begins where it is to stay near its start.
    private static let coolness = 0.1
    /// The same price while frames are saved: between these, found by halving so often.
    private static let (frugalPrices, frugalProbes) = (0.003...10.0, 9)

    let problem: DeploymentProblem
    private let shipments: DeploymentSearch.Shipments?
    let isCancelled: () -> Bool

    typealias End = (objective: Double, memories: [[Int]])

    /// The best deployment found.
    ///
    /// - Parameter slack: a deployment that takes longer by this part may be chosen for fewer
    ///   frames.
    /// - Returns: `[layers][experts]`; empty for dense layers. No memory holds more than it has.
    /// - Complexity: at most 830 million looks at a set of experts.
    package static func plan(
        _ problem: DeploymentProblem, slack: Double = Self.usualSlack
    ) -> [[ExpertHome]] {
        best(problem, slack) { fixed in
            let planner = Self(problem: fixed, shipments: nil) { false }
            return (planner, { planner.freshStarts })
        }
    }

    /// The best deployment found that ships at most so much.
    ///
    /// - Parameters:
    ///   - homes: where experts are now, by the problem's devices.
    ///   - held: by device, experts that it has already beside those.
    ///   - moveAtMost: bytes that may come to devices which do not have them; nil: any.
    ///   - isCancelled: asked now and then whether the answer is no longer wanted.
    /// - Returns: as above; nil if it was cancelled.
    package static func plan(
        _ problem: DeploymentProblem, from homes: [[ExpertHome]], held: [Set<ExpertID>] = [],
        moveAtMost: Int?, slack: Double = Self.usualSlack,
        isCancelled: @escaping () -> Bool = { false }
    ) -> [[ExpertHome]]? {
        let kept = DeploymentStarts(problem.keeping(nil)).kept(homes)
        var holders = kept.map { memories in memories.map { [$0] } }
        for (layer, experts) in homes.enumerated() where layer < holders.count {
            for expert in holders[layer].indices {
                experts[expert].memory.map { holders[layer][expert].append($0) }
            }
        }
        for (device, experts) in held.enumerated() {
            for id in experts where !holders[id.layer].isEmpty {
                holders[id.layer][id.expert].append(device + 1)
            }
        }
        let plan = best(problem, slack) { fixed in
            let planner = Self(
                problem: fixed,
                shipments: moveAtMost.map { .init(held: holders, bytesLeft: $0) },
                isCancelled: isCancelled)
            // What is not limited may begin anywhere.
            return (planner, { [kept] + (moveAtMost == nil ? planner.freshStarts : []) })
        }
        return isCancelled() ? nil : plan
    }

    private init(
        problem: DeploymentProblem, shipments: DeploymentSearch.Shipments?,
        isCancelled: @escaping () -> Bool
    ) {
        self.problem = problem
        self.shipments = shipments
        self.isCancelled = isCancelled
    }

    private var freshStarts: [[[Int]]] {
        let starts = DeploymentStarts(problem)
        return Self.startPrices.compactMap { starts.pooled(prices($0)) }
            + [true, false].flatMap {
                [starts.byLoad(resident: $0), starts.byLayer(resident: $0)]
            }
            + [starts.empty] + (0..<Self.drawnStarts).map { starts.drawn(seed: UInt64($0)) }
    }

    /// By which part a deployment may be slower for fewer frames.
    package static let usualSlack = 0.03

    /// Traffic at a part of what the first device's frame takes.
    func prices(_ part: Double) -> DeploymentLayer.Prices {
        let frame = part * (problem.devices.map(\.frameSeconds).min() ?? 0)
        return .init(
            roundTrip: DeploymentProblem.tripWeight, frame: DeploymentProblem.frameWeight + frame)
    }

    /// The fastest deployment found.
    func fastest(_ starts: [[[Int]]]) -> [[Int]] {
        let promising = promising(starts)
        let ends = promising.map {
            descended($0, work: Self.descentWork / promising.count, prices(0))
        }.sorted { $0.objective < $1.objective }
        var best = ends[0]
        for (number, end) in ends.prefix(Self.annealedStarts).enumerated() where work > 0 {
            var generator = SeededGenerator(seed: UInt64(number))
            // The first starts warm, the others nearer to where they are.
            let found = annealed(
                end.memories, warmth: number == 0 ? 1 : Self.coolness, prices(0), &generator)
            if found.objective < best.objective { best = found }
        }
        return best.memories
    }

    /// Of a large model only the starts that are good already: work suffices for no more.
    private func promising(_ starts: [[[Int]]]) -> [[[Int]]] {
        guard work == 0 else { return starts }
        let objectives = starts.map { search($0, work: 0, prices(0)).objective }
        return starts.indices.sorted { (objectives[$0], $0) < (objectives[$1], $1) }
            .prefix(Self.largeStarts).map { starts[$0] }
    }

    /// Looks in one annealing; 0 where it would find nothing.
    var work: Int {
        let experts = problem.shape.experts * problem.shape.expertBytes.count { $0 > 0 }
        let work = min(Self.mostAnnealing, Self.annealingWork * experts)
        let visits = problem.sets.joined().reduce(0) { $0 + $1.experts.count }
        // A step touches the sets of about two experts.
        return work / max(1, 2 * visits) >= Self.leastSteps ? work : 0
    }

    private func search(
        _ memories: [[Int]], work: Int, _ prices: DeploymentLayer.Prices
    ) -> DeploymentSearch {
        DeploymentSearch(
            problem, memories, prices: prices, work: work, shipments: shipments,
            isCancelled: isCancelled)
    }

    func descended(
        _ memories: [[Int]], work: Int, _ prices: DeploymentLayer.Prices
    ) -> End {
        var search = search(memories, work: work, prices)
        search.descend()
        return (search.objective, search.memories)
    }

    private func annealed(
        _ memories: [[Int]], warmth: Double, _ prices: DeploymentLayer.Prices,
        _ generator: inout SeededGenerator
    ) -> End {
        var annealing = search(memories, work: work, prices)
        let found = annealing.anneal(work: work, warmth: warmth, using: &generator)
        return descended(found, work: work, prices)
    }

    /// Of deployments about as fast, the one with fewest frames, and of equals the faster: frames
    /// get the highest price at which the time still is within the limit. Between prices there are
    /// deployments that are the best by none; annealing meets some.
    ///
    /// - Parameter limit: seconds of a step.
    func frugal(_ memories: [[Int]], within limit: Double) -> [[Int]] {
        var best = Frugal(memories, problem.stepCost(homes(memories)))
        var (low, high) = (log(Self.frugalPrices.lowerBound), log(Self.frugalPrices.upperBound))
        for probe in 0..<(work > 0 ? Self.frugalProbes : Self.largeProbes) {
            let middle = (low + high) / 2
            let starts = probe == 0 ? [memories] : [memories, best.memories]
            var isWithin = false
            for (ended, met) in priced(starts, exp(middle), limit, probe) {
                let found = [ended, met].map { Frugal($0, problem.stepCost(homes($0))) }
                    .filter { problem.seconds($0.cost) <= limit }
                // What was met on the way says nothing of the price.
                if found.contains(where: { $0.memories == ended }) { isWithin = true }
                best = found.reduce(best) { min($0, $1) }
            }
            if isWithin { low = middle } else { high = middle }
        }
        return best.memories
    }

    /// Deployments by their frames.
    private struct Frugal: Comparable {
        let memories: [[Int]]
        let cost: DeploymentCost

        init(_ memories: [[Int]], _ cost: DeploymentCost) {
            (self.memories, self.cost) = (memories, cost)
        }

        static func < (one: Self, two: Self) -> Bool {
            (one.cost.framesPerToken, one.cost.secondsPerToken)
                < (two.cost.framesPerToken, two.cost.secondsPerToken)
        }
    }

    /// Deployments at another price of a frame: from those that are known, and the pooled one.
    private func priced(
        _ known: [[[Int]]], _ part: Double, _ limit: Double, _ probe: Int
    ) -> [(ended: [[Int]], met: [[Int]])] {
        let prices = prices(part)
        guard work > 0 else {
            let work = Self.descentWork / Self.largeProbes
            return known.map { start in
                let ended = descended(start, work: work / known.count, prices).memories
                return (ended, ended)
            }
        }
        var generator = SeededGenerator(seed: UInt64(probe))
        let pooled =
            shipments == nil ? DeploymentStarts(problem).pooled(prices).flatMap(fitted) : nil
        return (known + (pooled.map { [$0] } ?? [])).map { start in
            var annealing = search(start, work: work, prices)
            let met = annealing.anneal(work: work, warmth: Self.coolness, using: &generator) {
                let seconds = $0.objective - $0.frames * prices.frame
                return seconds <= limit ? $0.frames : .infinity
            }
            return (descended(annealing.memories, work: work, prices).memories, met)
        }
    }

    /// What is left of the base station's memory takes experts that no memory holds, the hottest
    /// first: recorded tokens may never have visited them.
    func filled(_ memories: [[Int]]) -> [[Int]] {
        var memories = memories
        var left = problem.bytesLeft(memories)[0]
        guard problem.residentSeconds <= problem.fileSeconds else { return memories }
        for (layer, expert, _) in inMemory(problem.devices.count + 1, memories) {
            let more = problem.shape.expertBytes[layer] - problem.recentBytes(layer, expert)
            guard left >= more else { continue }
            memories[layer][expert] = 0
            left -= more
        }
        return memories
    }

    /// The experts in one memory, the hottest first.
    func inMemory(
        _ memory: Int, _ memories: [[Int]]
    ) -> [(layer: Int, expert: Int, heat: Double)] {
        memories.indices.filter { !memories[$0].isEmpty }.flatMap { layer in
            let heat = problem.heat(layer)
            return memories[layer].indices.filter { memories[layer][$0] == memory }
                .map { (layer: layer, expert: $0, heat: heat[$0]) }
        }.sorted { $0.heat > $1.heat }
    }

    func memories(_ homes: [[ExpertHome]]) -> [[Int]] {
        homes.map { layer in layer.map { $0.memory ?? problem.devices.count + 1 } }
    }

    func homes(_ memories: [[Int]]) -> [[ExpertHome]] {
        memories.map { layer in
            layer.map { ExpertHome(memory: $0 <= problem.devices.count ? $0 : nil) }
        }
    }
}
