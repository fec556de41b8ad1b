import SystemModel

/// Where a search for a deployment begins (ours). Every start fits into the memories.
struct DeploymentStarts {
    private let problem: DeploymentProblem
    private let file: Int

    init(_ problem: DeploymentProblem) {
        self.problem = problem
        file = problem.devices.count + 1
    }

    var empty: [[Int]] {
        problem.shape.expertBytes.map {
            Array(repeating: file, count: $0 > 0 ? problem.shape.experts : 0)
        }
    }

    /// A pooled deployment on devices, with what traffic is said to cost; nil for layers of too
    /// many experts.
    func pooled(_ prices: DeploymentLayer.Prices) -> [[Int]]? {
        guard let pooled = PooledDeployment(problem, prices: prices) else { return nil }
        return packed(pooled.places)
    }

    /// What saves most round trips to the base station, if asked to; then the hottest experts
    /// first, each to the device with the least load for its speed that has room.
    func byLoad(resident: Bool) -> [[Int]] {
        var packing = Packing(problem, withResident(resident))
        for layer in packing.memories.indices where !packing.memories[layer].isEmpty {
            packing.deal(layer, problem.hottest(layer), problem.heat(layer))
        }
        return packing.memories
    }

    /// The same, but each layer on as few devices as it goes.
    func byLayer(resident: Bool) -> [[Int]] {
        var packing = Packing(problem, withResident(resident))
        for layer in packing.memories.indices where !packing.memories[layer].isEmpty {
            packing.gather(layer, problem.hottest(layer))
        }
        return packing.memories
    }

    /// Every expert, in any order, in any place that has room.
    func drawn(seed: UInt64) -> [[Int]] {
        var generator = SeededGenerator(seed: seed)
        var memories = empty
        var left = problem.bytesLeft(memories)
        let all = memories.indices.flatMap { layer in
            memories[layer].indices.map { (layer, $0) }
        }
        for (layer, expert) in all.shuffled(using: &generator) {
            let bytes = problem.shape.expertBytes[layer]
            let roomy = left.indices.filter { left[$0] >= bytes }
            guard let memory = roomy.randomElement(using: &generator) else { continue }
            memories[layer][expert] = memory
            left[memory] -= bytes
        }
        return memories
    }

    /// Homes that were, as far as they fit now: the hottest experts stay.
    func kept(_ homes: [[ExpertHome]]) -> [[Int]] {
        var memories = empty
        var left = problem.bytesLeft(memories)
        let all = memories.indices.filter { !memories[$0].isEmpty && $0 < homes.count }.flatMap {
            layer in
            let heat = problem.heat(layer)
            return homes[layer].indices.map { (layer: layer, expert: $0, heat: heat[$0]) }
        }
        for (layer, expert, _) in all.sorted(by: { $0.heat > $1.heat }) {
            let bytes = problem.shape.expertBytes[layer]
            guard let memory = homes[layer][expert].memory, memory < left.count,
                left[memory] >= bytes
            else { continue }
            memories[layer][expert] = memory
            left[memory] -= bytes
        }
        return memories
    }

    private func withResident(_ resident: Bool) -> [[Int]] {
        var memories = empty
        guard resident else { return memories }
        let held = ResidentExperts(
            problem.shape, sets: problem.sets, budgetBytes: problem.residentBytes)
        for id in held.experts { memories[id.layer][id.expert] = 0 }
        return memories
    }

    /// Devices' experts of a pooled deployment, the layers with most bytes first.
    private func packed(_ places: [LayerRelaxation.Places]) -> [[Int]] {
        var memories = empty
        var left = problem.residentBytes
        for (layer, places) in places.enumerated() {
            for expert in places.indices where places[expert] == 0 {
                guard left >= problem.shape.expertBytes[layer] else { continue }
                memories[layer][expert] = 0
                left -= problem.shape.expertBytes[layer]
            }
        }
        var packing = Packing(problem, memories)
        let groups = places.indices.map { layer in
            (
                layer: layer,
                experts: problem.hottest(layer).filter {
                    $0 < places[layer].count && places[layer][$0] == 1
                }
            )
        }
        func bytes(_ group: (layer: Int, experts: [Int])) -> Int {
            group.experts.count * problem.shape.expertBytes[group.layer]
        }
        for group in groups.sorted(by: { (-bytes($0), $0.layer) < (-bytes($1), $1.layer) }) {
            packing.gather(group.layer, group.experts)
        }
        return packing.memories
    }
}

/// Experts put on devices, while there is room.
private struct Packing {
    private let problem: DeploymentProblem
    private(set) var memories: [[Int]]
    private var left: [Int]

    init(_ problem: DeploymentProblem, _ memories: [[Int]]) {
        self.problem = problem
        self.memories = memories
        left = Array(problem.bytesLeft(memories).dropFirst())
    }

    /// Each to the device that has least to do in this layer.
    mutating func deal(_ layer: Int, _ experts: [Int], _ heat: [Double]) {
        var loads = [Double](repeating: 0, count: left.count)
        let bytes = problem.shape.expertBytes[layer]
        for expert in experts where memories[layer][expert] > left.count {
            func load(_ device: Int) -> Double {
                loads[device] + heat[expert] * problem.devices[device].visitSeconds
            }
            let roomy = left.indices.filter { left[$0] >= bytes }
            guard let device = roomy.min(by: { load($0) < load($1) }) else { return }
            loads[device] = load(device)
            put(layer, expert, device)
        }
    }

    /// All on one device where they have room, the fastest and of equals the fullest; else as many
    /// as go on the one with most room, and so on.
    mutating func gather(_ layer: Int, _ experts: [Int]) {
        let bytes = problem.shape.expertBytes[layer]
        var rest = experts.filter { memories[layer][$0] > left.count }
        while !rest.isEmpty {
            let roomy = left.indices.filter { left[$0] >= rest.count * bytes }
            func seconds(_ device: Int) -> Double {
                problem.devices[device].frameSeconds + problem.devices[device].visitSeconds
            }
            let one = roomy.min {
                (seconds($0), left[$0], $0) < (seconds($1), left[$1], $1)
            }
            guard let device = one ?? left.indices.max(by: { left[$0] < left[$1] }),
                left[device] >= bytes
            else { return }
            for expert in rest.prefix(left[device] / bytes) { put(layer, expert, device) }
            rest = rest.filter { memories[layer][$0] > left.count }
        }
    }

    private mutating func put(_ layer: Int, _ expert: Int, _ device: Int) {
        memories[layer][expert] = device + 1
        left[device] -= problem.shape.expertBytes[layer]
    }
}
