import SystemModel

/// Deals a model's experts to the memories of a base station and its devices (SlimCaching's problem
/// for one user, with time that adds up at a device and frames that are counted; ours).
///
/// Local search: from several beginnings, an expert moves to another memory, or two experts of one
/// memory each change places, as long as that makes the objective smaller. Only the layers that
/// change are counted again. It stops after a given amount of work, counted and not timed, so a
/// plan follows from its problem.
package struct DeploymentPlanner {
    /// Sets of experts that are looked at, from each beginning: some seconds.
    private static let work = 50_000_000
    /// Beginnings that are drawn, beside three that are made.
    private static let randomStarts = 6
    /// A change must gain more than rounding does.
    private static let leastGain = 1e-12

    private let problem: DeploymentProblem
    private var homes: [[ExpertHome]]
    private var left: [Int]
    /// By layer, the objective.
    private var costs: [Double]
    private var workLeft = Self.work

    /// The best deployment found.
    ///
    /// - Returns: `[layers][experts]`; empty for dense layers. No memory holds more than it has.
    /// - Complexity: at most 450 million looks at a set.
    package static func plan(_ problem: DeploymentProblem) -> [[ExpertHome]] {
        let starts =
            [
                Self.filled(problem, resident: true), Self.filled(problem, resident: false),
                problem.emptyHomes,
            ] + (0..<Self.randomStarts).map { Self.shuffled(problem, seed: UInt64($0)) }
        let ends = starts.map { start in
            var planner = DeploymentPlanner(problem, start)
            planner.improve()
            return (homes: planner.homes, objective: planner.costs.reduce(0, +))
        }
        return ends.min { $0.objective < $1.objective }?.homes ?? problem.emptyHomes
    }

    private init(_ problem: DeploymentProblem, _ homes: [[ExpertHome]]) {
        self.problem = problem
        self.homes = homes
        left = problem.bytesLeft(homes)
        costs = homes.indices.map { problem.objective(layer: $0, homes: homes[$0]) }
    }

    /// The hottest experts first, each to the device with the least load for its speed that has
    /// room; before that, if asked to, what saves most round trips to the base station.
    private static func filled(
        _ problem: DeploymentProblem, resident: Bool
    ) -> [[ExpertHome]] {
        var homes = problem.emptyHomes
        if resident {
            let held = ResidentExperts(
                problem.shape, sets: problem.sets, budgetBytes: problem.residentBytes)
            for id in held.experts { homes[id.layer][id.expert] = .resident }
        }
        var left = problem.bytesLeft(homes)
        for layer in homes.indices {
            var loads = [Double](repeating: 0, count: problem.devices.count)
            for (expert, heat) in problem.heat(layer) where homes[layer][expert] == .file {
                let roomy = problem.devices.indices.filter {
                    left[$0 + 1] >= problem.shape.expertBytes[layer]
                }
                let device = roomy.min {
                    loads[$0] + heat * problem.devices[$0].visitSeconds
                        < loads[$1] + heat * problem.devices[$1].visitSeconds
                }
                guard let device else { continue }
                loads[device] += heat * problem.devices[device].visitSeconds
                left[device + 1] -= problem.shape.expertBytes[layer]
                homes[layer][expert] = .device(device)
            }
        }
        return homes
    }

    /// Every expert, in any order, in any place that has room.
    private static func shuffled(_ problem: DeploymentProblem, seed: UInt64) -> [[ExpertHome]] {
        var generator = SeededGenerator(seed: seed)
        var homes = problem.emptyHomes
        var left = problem.bytesLeft(homes)
        let all = homes.indices.flatMap { layer in homes[layer].indices.map { (layer, $0) } }
        for (layer, expert) in all.shuffled(using: &generator) {
            let bytes = problem.shape.expertBytes[layer]
            let roomy = left.indices.filter { left[$0] >= bytes }
            guard let memory = roomy.randomElement(using: &generator) else { continue }
            homes[layer][expert] = .memory(memory)
            left[memory] -= bytes
        }
        return homes
    }

    private mutating func improve() {
        var hasImproved = true
        while hasImproved, workLeft > 0 {
            hasImproved = false
            for layer in homes.indices where !homes[layer].isEmpty {
                for expert in homes[layer].indices where workLeft > 0 {
                    if move(layer, expert) { hasImproved = true }
                    if exchangeWithin(layer, expert) { hasImproved = true }
                }
            }
            for layer in homes.indices where workLeft > 0 {
                if exchangeAcross(layer) { hasImproved = true }
            }
        }
    }

    /// All places an expert may have.
    private var places: [ExpertHome] {
        [.resident, .file] + problem.devices.indices.map { .device($0) }
    }

    /// The best other place for one expert, if that helps.
    private mutating func move(_ layer: Int, _ expert: Int) -> Bool {
        let bytes = problem.shape.expertBytes[layer]
        let old = homes[layer][expert]
        var best = (objective: costs[layer] - Self.leastGain, home: old)
        for home in places where home != old {
            if let memory = home.memory, left[memory] < bytes { continue }
            homes[layer][expert] = home
            let objective = tried(layer)
            if objective < best.objective { best = (objective, home) }
        }
        homes[layer][expert] = best.home
        guard best.home != old else { return false }
        if let memory = old.memory { left[memory] += bytes }
        if let memory = best.home.memory { left[memory] -= bytes }
        costs[layer] = best.objective
        return true
    }

    /// Changes places with another expert of the layer, if that helps.
    private mutating func exchangeWithin(_ layer: Int, _ expert: Int) -> Bool {
        for other in (expert + 1)..<max(expert + 1, homes[layer].count)
        where homes[layer][other] != homes[layer][expert] && workLeft > 0 {
            homes[layer].swapAt(expert, other)
            let objective = tried(layer)
            if objective < costs[layer] - Self.leastGain {
                costs[layer] = objective
                return true
            }
            homes[layer].swapAt(expert, other)
        }
        return false
    }

    /// Gives one of this layer's places in a memory to an expert of another layer that has none.
    private mutating func exchangeAcross(_ layer: Int) -> Bool {
        for other in homes.indices where other != layer && !homes[other].isEmpty {
            for memory in left.indices {
                guard let change = across(layer, other, memory) else { continue }
                let gained = problem.shape.expertBytes[layer] - problem.shape.expertBytes[other]
                homes[layer][change.giver] = .file
                homes[other][change.taker] = .memory(memory)
                left[memory] += gained
                (costs[layer], costs[other]) = (change.costs.0, change.costs.1)
                return true
            }
        }
        return false
    }

    private mutating func across(
        _ layer: Int, _ other: Int, _ memory: Int
    ) -> (giver: Int, taker: Int, costs: (Double, Double))? {
        let room =
            left[memory] + problem.shape.expertBytes[layer] - problem.shape.expertBytes[other]
        guard room >= 0, workLeft > 0 else { return nil }
        let home = ExpertHome.memory(memory)
        guard let giver = cheapest(layer, from: home, to: .file),
            let taker = cheapest(other, from: .file, to: home)
        else { return nil }
        let sum = giver.objective + taker.objective
        guard sum < costs[layer] + costs[other] - Self.leastGain else { return nil }
        return (giver.expert, taker.expert, (giver.objective, taker.objective))
    }

    /// Which expert of a layer moves from one home to the other at the least objective.
    private mutating func cheapest(
        _ layer: Int, from: ExpertHome, to: ExpertHome
    ) -> (expert: Int, objective: Double)? {
        let experts = homes[layer].indices.filter { homes[layer][$0] == from }
        workLeft -= experts.count * problem.sets[layer].count
        return experts.map { expert in
            var changed = homes[layer]
            changed[expert] = to
            return (expert, problem.objective(layer: layer, homes: changed))
        }.min { $0.objective < $1.objective }
    }

    private mutating func tried(_ layer: Int) -> Double {
        workLeft -= problem.sets[layer].count
        return problem.objective(layer: layer, homes: homes[layer])
    }
}

extension ExpertHome {
    /// The inverse of `memory`.
    fileprivate static func memory(_ memory: Int) -> ExpertHome {
        memory == 0 ? .resident : .device(memory - 1)
    }
}

extension DeploymentProblem {
    /// Nothing is in any memory.
    var emptyHomes: [[ExpertHome]] {
        shape.expertBytes.map { bytes in
            Array(repeating: .file, count: bytes > 0 ? shape.experts : 0)
        }
    }

    func objective(layer: Int, homes: [ExpertHome]) -> Double {
        objective(cost(layer: layer, homes: homes))
    }

    /// A layer's experts with the share of tokens that visit them, hottest first.
    fileprivate func heat(_ layer: Int) -> [(expert: Int, heat: Double)] {
        guard shape.expertBytes[layer] > 0 else { return [] }
        var counts = [Int](repeating: 0, count: shape.experts)
        for set in sets[layer] { for expert in set.experts { counts[expert] += set.count } }
        let total = max(1, sets[layer].reduce(0) { $0 + $1.count })
        return counts.enumerated().sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }
            .map { ($0.offset, Double($0.element) / Double(total)) }
    }
}
