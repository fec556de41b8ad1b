import Planning
import SystemModel

extension SelectionProblem {
    /// Reads `{"k", "weights", "tokenSeconds", "messageSeconds", "holders"?, "parameters"?}`.
    init(_ root: ProblemField) throws {
        try root.allow([
            "k", "weights", "tokenSeconds", "messageSeconds", "holders", "parameters",
        ])
        let weights = try Self.weights(root["weights"])
        let experts = weights.first?.count ?? 0
        let seconds = try root["tokenSeconds"].elements(1...ProblemLimits.devices)
            .map { try $0.positive() }
        let messages = try root["messageSeconds"].elements(seconds.count...seconds.count)
            .map { try $0.notNegative() }
        let holders = try Self.holders(root, experts: experts, devices: seconds.count)
        self.init(
            perToken: try root["k"].integer(1...min(experts, ProblemLimits.perToken)),
            weights: weights,
            devices: zip(messages, seconds).map {
                DeviceLatency(message: Seconds($0), token: Seconds($1))
            }, holders: holders)
    }

    private static func weights(_ field: ProblemField) throws -> [[Double]] {
        let rows = try field.elements(1...ProblemLimits.tokens)
        let experts = try rows[0].elements(1...ProblemLimits.experts).count
        return try rows.map { row in
            try row.elements(experts...experts).map { try $0.number(0...1) }
        }
    }

    private static func holders(
        _ root: ProblemField, experts: Int, devices: Int
    ) throws -> [[Int]] {
        let field = root["holders"]
        guard !field.isMissing else {
            guard experts <= devices else {
                throw CommandError(
                    "\(root.file): weights has \(experts) experts and tokenSeconds \(devices) "
                        + "devices; without holders expert e is on device e")
            }
            return (0..<experts).map { [$0] }
        }
        return try field.elements(experts...experts).map { list in
            let holders = try list.elements(1...devices).map { try $0.integer(0...devices - 1) }
            guard Set(holders).count == holders.count else {
                throw CommandError("\(root.file): \(list.path) names a device twice")
            }
            return holders
        }
    }
}

extension SelectionParameters {
    /// Reads a problem's `parameters`; what is missing keeps its default.
    init(_ root: ProblemField, tokens: Int, experts: Int) throws {
        self.init()
        let field = root["parameters"]
        guard !field.isMissing else { return }
        try field.allow([
            "alpha", "gamma", "thetaStep", "thetaMax", "importance", "epsilon", "maxWeight",
            "threshold", "seed",
        ])
        if !field["alpha"].isMissing { alpha = try field["alpha"].number(-1...1) }
        if !field["gamma"].isMissing { gamma = try field["gamma"].number(0...1e9) }
        if !field["thetaStep"].isMissing { thetaStep = try field["thetaStep"].number(1e-6...2) }
        if !field["thetaMax"].isMissing { thetaMax = try field["thetaMax"].number(-1...1) }
        if !field["epsilon"].isMissing { epsilon = try field["epsilon"].number(0...1e9) }
        if !field["maxWeight"].isMissing { maxWeight = try field["maxWeight"].number(0...2) }
        if !field["threshold"].isMissing { threshold = try field["threshold"].number(0...1) }
        if !field["seed"].isMissing { seed = UInt64(try field["seed"].integer(0...Int.max)) }
        guard !field["importance"].isMissing else { return }
        let rows = try field["importance"].elements(1...max(1, tokens))
        guard rows.count == 1 || rows.count == tokens else {
            throw CommandError(
                "\(root.file): parameters.importance has \(rows.count) rows, expected 1 or one "
                    + "per token, \(tokens)")
        }
        importance = try rows.map { row in
            try row.elements(experts...experts).map { try $0.number(0...1e9) }
        }
    }
}
