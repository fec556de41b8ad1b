import SystemModel

extension DeploymentProblem {
    /// Steps drawn of a layer at least.
    private static let leastSteps = 256

    /// The same for tokens that are decoded together (ours): a step visits what any of them does.
    ///
    /// Recorded tokens are drawn together at random, each about equally often. An expert that
    /// several of them visit is read once, so it is one visit; and a frame carries all rows: with a
    /// layer's experts on few devices each device is visited by nearly all.
    ///
    /// Steps are taken to be independent of each other, where it matters how soon they come back.
    ///
    /// - Parameter rows: tokens in a step, at least 1.
    /// - Precondition: of a problem of single tokens.
    /// - Complexity: O(layers · tokens recorded · K).
    package func decodingTogether(_ rows: Int) -> DeploymentProblem {
        precondition(rowsPerStep == 1 && rows >= 1, "of single tokens")
        guard rows > 1 else { return self }
        var problem = self
        problem.rowsPerStep = rows
        problem.sets = sets.map { Self.together($0, rows) }
        if !reuse.isEmpty { problem.reuse = problem.independentReuse }
        for device in devices.indices { problem.devices[device].rowSeconds *= Double(rows) }
        return problem
    }

    private static func together(_ sets: [RoutedSet], _ rows: Int) -> [RoutedSet] {
        let tokens = sets.indices.flatMap { repeatElement($0, count: sets[$0].count) }
        guard !tokens.isEmpty else { return [] }
        var generator = SeededGenerator(seed: 0)
        let needed = max(tokens.count, leastSteps * rows)
        var drawn: [Int] = []
        while drawn.count < needed { drawn += tokens.shuffled(using: &generator) }
        var counts: [[Int]: Int] = [:]
        for start in stride(from: 0, through: drawn.count - rows, by: rows) {
            let experts = Set(drawn[start..<start + rows].flatMap { sets[$0].experts })
            counts[experts.sorted(), default: 0] += 1
        }
        return counts.map { RoutedSet(experts: $0.key, count: $0.value) }
            .sorted { $0.experts.lexicographicallyPrecedes($1.experts) }
    }
}
