import SystemModel

@testable import Planning

/// Problems of dealing experts, for tests.
enum DeploymentProblems {
    /// Two layers of four experts, two devices that differ, three recorded sets in each layer:
    /// every deployment can be tried.
    static func tiny(seed: UInt64) -> DeploymentProblem {
        var generator = SeededGenerator(seed: seed)
        let shape = ModelShape(
            layers: 2, experts: 4, expertsPerToken: 2, hidden: 8, expertBytes: [10, 10])
        let sets = (0..<2).map { _ in
            (0..<3).map { _ in
                let first = Int.random(in: 0..<4, using: &generator)
                let second = (first + Int.random(in: 1..<4, using: &generator)) % 4
                return RoutedSet(
                    experts: [first, second].sorted(),
                    count: Int.random(in: 1..<10, using: &generator))
            }
        }
        let devices = ["a", "b"].map { name in
            DeploymentProblem.Device(
                name: name, memoryBytes: 10 * Int.random(in: 0...4, using: &generator),
                messageSeconds: Double.random(in: 0.001...0.005, using: &generator),
                visitSeconds: Double.random(in: 0.0001...0.002, using: &generator),
                rowSeconds: Double.random(in: 0...0.001, using: &generator))
        }
        return DeploymentProblem(
            shape: shape, sets: sets, devices: devices,
            residentBytes: 10 * Int.random(in: 0...4, using: &generator), residentSeconds: 0.0002,
            fileSeconds: Double.random(in: 0.001...0.02, using: &generator),
            promptRows: Double(Int.random(in: 0...1, using: &generator)),
            frameSeconds: Double.random(in: 0...0.0005, using: &generator))
    }

    /// Sets of `visited` experts, drawn by a popularity that falls as 1 / √rank; `devices` with
    /// memory for half of all experts together and the base station's for a quarter.
    static func drawn(
        layers: Int, experts: Int, visited: Int, tokens: Int, devices: Int, seed: UInt64,
        promptRows: Double = 0
    ) -> DeploymentProblem {
        var generator = SeededGenerator(seed: seed)
        let sets = (0..<layers).map { _ -> [RoutedSet] in
            let order = Array(0..<experts).shuffled(using: &generator)
            var counts: [[Int]: Int] = [:]
            for _ in 0..<tokens {
                var set: Set<Int> = []
                while set.count < visited {
                    let draw = generator.uniform()
                    set.insert(order[min(experts - 1, Int(draw * draw * Double(experts)))])
                }
                counts[set.sorted(), default: 0] += 1
            }
            return counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .map { RoutedSet(experts: $0.key, count: $0.value) }
        }
        let all = layers * experts
        return DeploymentProblem(
            shape: ModelShape(
                layers: layers, experts: experts, expertsPerToken: visited, hidden: 8,
                expertBytes: Array(repeating: 10, count: layers)),
            sets: sets,
            devices: (0..<devices).map {
                DeploymentProblem.Device(
                    name: "d\($0)", memoryBytes: 10 * (all / 2 / devices), messageSeconds: 0.003,
                    visitSeconds: 0.0003)
            },
            residentBytes: 10 * (all / 4), residentSeconds: 0.0001, fileSeconds: 0.002,
            promptRows: promptRows)
    }

    /// No memory holds more than it has.
    static func fits(_ homes: [[ExpertHome]], _ problem: DeploymentProblem) -> Bool {
        problem.bytesLeft(homes).allSatisfy { $0 >= 0 }
    }
}
