import Planning

extension ExpertCachingProblem {
    /// Reads the `placement` of an answer of `plan caching`, and checks it against this problem.
    ///
    /// - Parameter resized: a server that may hold more than fits: its content is to change.
    func placement(_ root: ProblemField, resized: Int? = nil) throws -> CachePlacement {
        try root.allow([
            "placement", "secondsPerToken", "savedSecondsPerToken", "bytes", "wallSeconds",
        ])
        let numbers = Dictionary(
            uniqueKeysWithValues: servers.enumerated().map { ($1.name, $0) })
        let modelNumbers = Dictionary(
            uniqueKeysWithValues: models.enumerated().map { ($1.name, $0) })
        var placement = CachePlacement(repeating: [], count: servers.count)
        for (name, field) in try root["placement"].members(most: ProblemLimits.servers) {
            guard let server = numbers[name] else { throw field.unknown("server") }
            let limit = models.reduce(0) { $0 + $1.layers * $1.experts }
            var seen: Set<CachedExpert> = []
            placement[server] = try field.elements(0...limit).map { entry in
                let expert = try expert(entry, modelNumbers)
                guard seen.insert(expert).inserted else { throw entry.refused("is there twice") }
                return expert
            }.sorted()
            let bytes = placement[server].reduce(0) { $0 + models[$1.model].expertBytes }
            guard bytes <= servers[server].storageBytes || server == resized else {
                throw field.refused(
                    "needs \(bytes) bytes, the server has \(servers[server].storageBytes)")
            }
        }
        return placement
    }

    /// Reads `[model, layer, expert]`.
    private func expert(
        _ field: ProblemField, _ modelNumbers: [String: Int]
    ) throws -> CachedExpert {
        let parts = try field.elements(3...3)
        let model = try parts[0].choice(modelNumbers, of: "model")
        return CachedExpert(
            model: model, layer: try parts[1].integer(0...models[model].layers - 1),
            expert: try parts[2].integer(0...models[model].experts - 1))
    }
}
