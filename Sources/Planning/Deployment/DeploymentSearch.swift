import SystemModel

/// A deployment that is made better step by step: an expert moves, two change places, a layer's
/// experts of one memory move or change places with another's (ours). No memory ever holds more
/// than it has, and no more bytes are shipped than allowed.
struct DeploymentSearch {
    /// A change must gain more than rounding does.
    static let leastGain = 1e-12
    /// Steps that are tried between two questions whether the search is cancelled.
    private static let stepsBetween = 256

    /// A change of one or two layers.
    typealias Step = (layer: Int, changes: [DeploymentLayer.Change])

    let problem: DeploymentProblem
    /// The number of the file among memories.
    let file: Int
    /// Layers with experts.
    let numbers: [Int]
    private(set) var layers: [DeploymentLayer?]
    /// By memory; the file's has no end.
    private(set) var left: [Int]
    private(set) var objective: Double
    /// Looks at sets that may still be taken.
    var workLeft: Int
    private var shipments: Shipments?
    private let isCancelled: () -> Bool
    /// Until somebody asks again whether it is cancelled.
    private var stepsUntilAsked = 0

    /// What may be shipped.
    struct Shipments {
        /// `[layers][experts]`: the memories of devices that have it already.
        let held: [[[Int]]]
        /// Less what is shipped already where the search begins.
        var bytesLeft: Int
    }

    /// - Parameter memories: `[layers][experts]`, fitting.
    init(
        _ problem: DeploymentProblem, _ memories: [[Int]],
        prices: DeploymentLayer.Prices = .init(), work: Int, shipments: Shipments? = nil,
        isCancelled: @escaping () -> Bool = { false }
    ) {
        self.problem = problem
        file = problem.devices.count + 1
        numbers = memories.indices.filter { !memories[$0].isEmpty }
        layers = memories.enumerated().map { number, memories in
            memories.isEmpty
                ? nil
                : DeploymentLayer(problem, layer: number, memories: memories, prices: prices)
        }
        left = problem.bytesLeft(memories) + [Int.max / 2]
        objective = layers.reduce(0) { $0 + ($1?.objective ?? 0) }
        workLeft = work
        self.shipments = shipments
        self.isCancelled = isCancelled
        for layer in numbers {
            for (expert, memory) in memories[layer].enumerated() {
                let shipped = shippedBytes(layer, expert, to: memory)
                self.shipments?.bytesLeft -= shipped
            }
        }
    }

    /// Frames of a decoded token.
    var frames: Double { layers.reduce(0) { $0 + ($1?.frames ?? 0) } }

    /// `[layers][experts]`
    var memories: [[Int]] { layers.map { $0?.memories ?? [] } }

    func memory(_ layer: Int, _ expert: Int) -> Int { layers[layer]?.memories[expert] ?? file }

    func bytes(_ layer: Int) -> Int { problem.shape.expertBytes[layer] }

    /// By how much the objective would change; nil where it does not fit.
    mutating func difference(_ steps: [Step]) -> Double? {
        guard fits(steps) else { return nil }
        return steps.reduce(0) { $0 + change($1) }
    }

    private mutating func change(_ step: Step) -> Double {
        stepsUntilAsked -= 1
        if stepsUntilAsked < 0 {
            stepsUntilAsked = Self.stepsBetween
            if isCancelled() { workLeft = 0 }
        }
        let before = layers[step.layer]?.objective ?? 0
        let looks = layers[step.layer]?.looks ?? 0
        let after = layers[step.layer]?.tried(step.changes) ?? 0
        workLeft -= (layers[step.layer]?.looks ?? 0) - looks + 1
        return after - before
    }

    /// The same for one expert, whether it fits or not.
    mutating func gain(_ layer: Int, _ expert: Int, _ memory: Int) -> Double {
        change((layer, [(expert, memory)]))
    }

    mutating func apply(_ steps: [Step]) {
        for (memory, bytes) in taken(steps) { left[memory] -= bytes }
        let shipped = shipped(steps)
        shipments?.bytesLeft -= shipped
        for step in steps {
            objective -= layers[step.layer]?.objective ?? 0
            layers[step.layer]?.apply(step.changes)
            objective += layers[step.layer]?.objective ?? 0
        }
    }

    /// Makes the steps if that helps.
    mutating func tryOut(_ steps: [Step]) -> Bool {
        guard let difference = difference(steps), difference < -Self.leastGain else { return false }
        apply(steps)
        return true
    }

    private func fits(_ steps: [Step]) -> Bool {
        for (memory, bytes) in taken(steps) where bytes > 0 && bytes > left[memory] { return false }
        if let shipments { return shipped(steps) <= shipments.bytesLeft }
        return true
    }

    /// Bytes more by memory.
    private func taken(_ steps: [Step]) -> [(memory: Int, bytes: Int)] {
        var taken: [(memory: Int, bytes: Int)] = []
        func add(_ memory: Int, _ bytes: Int) {
            if let at = taken.firstIndex(where: { $0.memory == memory }) {
                taken[at].bytes += bytes
            } else {
                taken.append((memory, bytes))
            }
        }
        for step in steps {
            for change in step.changes {
                let old = room(step.layer, change.expert, memory(step.layer, change.expert))
                let new = room(step.layer, change.expert, change.memory)
                add(old.memory, -old.bytes)
                add(new.memory, new.bytes)
            }
        }
        return taken
    }

    /// What an expert takes of which memory: of the file's it is the base station's, for a while.
    private func room(_ layer: Int, _ expert: Int, _ memory: Int) -> (memory: Int, bytes: Int) {
        memory == file
            ? (0, problem.recentBytes(layer, expert)) : (memory, bytes(layer))
    }

    /// Bytes more to be shipped than now.
    private func shipped(_ steps: [Step]) -> Int {
        guard shipments != nil else { return 0 }
        return steps.reduce(0) { sum, step in
            step.changes.reduce(sum) {
                $0 + shippedBytes(step.layer, $1.expert, to: $1.memory)
                    - shippedBytes(step.layer, $1.expert, to: memory(step.layer, $1.expert))
            }
        }
    }

    private func shippedBytes(_ layer: Int, _ expert: Int, to memory: Int) -> Int {
        guard let held = shipments?.held, memory != 0, memory != file else { return 0 }
        return held[layer][expert].contains(memory) ? 0 : bytes(layer)
    }
}

extension DeploymentProblem {
    /// Bytes left of each memory: the base station's, then the devices'; below 0: too full.
    func bytesLeft(_ memories: [[Int]]) -> [Int] {
        var left = memoryBytes
        for (layer, experts) in memories.enumerated() {
            for (expert, memory) in experts.enumerated() {
                if memory < left.count {
                    left[memory] -= shape.expertBytes[layer]
                } else {
                    left[0] -= recentBytes(layer, expert)
                }
            }
        }
        return left
    }
}
