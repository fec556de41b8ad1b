import SystemModel

/// The least that all layers cost if devices were pooled, and where experts then are: exact for
/// layers of few experts, by dynamic programming over layers and the two memories (ours).
struct PooledDeployment {
    /// Sets looked at while layers are enumerated; above, there is no such plan.
    private static let mostLooks = 30_000_000
    /// Steps of the dynamic program.
    private static let mostSteps = 60_000_000
    /// Memories are counted in at most this many units where layers' experts differ in size.
    private static let units = 128

    let cost: Double
    /// `[layers][experts]`; empty for dense layers.
    let places: [LayerRelaxation.Places]

    /// A memory in units: what it holds, and what one expert of each layer takes. Sizes are rounded
    /// down and the memory up, so nothing that fits is left out.
    private struct Units {
        let room: Int
        let sizes: [Int]
    }

    private struct Memories {
        let resident: Units
        let devices: Units

        init(_ problem: DeploymentProblem) {
            let bytes = problem.shape.expertBytes
            let kinds = Set(bytes.filter { $0 > 0 })
            let all = bytes.count { $0 > 0 } * problem.shape.experts
            if kinds.count == 1, let size = kinds.first {
                let sizes = bytes.map { $0 > 0 ? 1 : 0 }
                let held = problem.devices.reduce(0) { $0 + $1.memoryBytes / size }
                resident = Units(room: min(all, problem.residentBytes / size), sizes: sizes)
                devices = Units(room: min(all, held), sizes: sizes)
            } else {
                let total = bytes.reduce(0, +) * problem.shape.experts
                func units(_ memory: Int) -> Units {
                    let unit = max(
                        1, min(memory, total) / PooledDeployment.units, (kinds.min() ?? 1) / 16)
                    return Units(
                        room: min(memory, total) / unit, sizes: bytes.map { $0 / unit })
                }
                resident = units(problem.residentBytes)
                devices = units(problem.devices.reduce(0) { $0 + $1.memoryBytes })
            }
        }
    }

    /// - Returns: nil for layers of too many experts to enumerate.
    init?(
        _ problem: DeploymentProblem,
        prices: DeploymentLayer.Prices = .init(roundTrip: 0, frame: 0)
    ) {
        let memories = Memories(problem)
        guard Self.isSmall(problem, memories) else { return nil }
        let pool = PooledDevices(
            problem, most: problem.sets.joined().map(\.experts.count).max() ?? 0, prices: prices)
        let layers = problem.sets.indices.map { layer in
            problem.shape.expertBytes[layer] > 0
                ? LayerRelaxation(problem, layer: layer, pool: pool) : nil
        }
        var program = Program(memories.resident, memories.devices)
        for (layer, relaxation) in layers.enumerated() {
            program.add(relaxation, layer, experts: problem.shape.experts)
        }
        cost = program.least
        places = zip(layers, program.counts()).map { relaxation, counts in
            relaxation?.places(resident: counts.resident, devices: counts.devices) ?? []
        }
    }

    private static func isSmall(_ problem: DeploymentProblem, _ memories: Memories) -> Bool {
        let experts = Double(problem.shape.experts)
        guard experts <= 20 else { return false }
        var kinds = 1.0
        for _ in 0..<problem.shape.experts { kinds *= 3 }
        let looks = kinds * Double(problem.sets.reduce(0) { $0 + $1.count })
        let states = Double((memories.resident.room + 1) * (memories.devices.room + 1))
        let steps = states * Double(problem.shape.layers) * (experts + 1) * (experts + 2) / 2
        return looks <= Double(mostLooks) && steps <= Double(mostSteps)
    }

    /// The dynamic program: by what is left of both memories the least cost of the layers so far.
    private struct Program {
        private let resident: Units
        private let devices: Units
        private var best: [Double]
        private var choices: [[(resident: Int, devices: Int)]] = []

        init(_ resident: Units, _ devices: Units) {
            (self.resident, self.devices) = (resident, devices)
            best = Array(repeating: 0, count: (resident.room + 1) * (devices.room + 1))
        }

        /// With all of both memories.
        var least: Double { best[best.count - 1] }

        mutating func add(_ layer: LayerRelaxation?, _ number: Int, experts: Int) {
            var choice = [(resident: Int, devices: Int)](repeating: (0, 0), count: best.count)
            defer { choices.append(choice) }
            guard let layer else { return }
            let (here, there) = (resident.sizes[number], devices.sizes[number])
            var next = [Double](repeating: .infinity, count: best.count)
            for held in 0...experts where held * here <= resident.room {
                for sent in 0...(experts - held) where sent * there <= devices.room {
                    let cost = layer.cost(resident: held, devices: sent)
                    for room in (held * here)...resident.room {
                        let from = (room - held * here) * (devices.room + 1) - sent * there
                        for space in (sent * there)...devices.room {
                            let sum = best[from + space] + cost
                            let at = room * (devices.room + 1) + space
                            if sum < next[at] { (next[at], choice[at]) = (sum, (held, sent)) }
                        }
                    }
                }
            }
            best = next
        }

        /// By layer, how many experts lie where.
        func counts() -> [(resident: Int, devices: Int)] {
            var (room, space) = (resident.room, devices.room)
            return choices.indices.reversed().map { layer in
                let counts = choices[layer][room * (devices.room + 1) + space]
                room -= counts.resident * resident.sizes[layer]
                space -= counts.devices * devices.sizes[layer]
                return counts
            }.reversed()
        }
    }
}
