import Planning

extension ExpertCachingProblem {
    /// Reads `{"models", "servers", "users", "activations"}`.
    init(_ root: ProblemField) throws {
        try root.allow(["models", "servers", "users", "activations"])
        let modelFields = try root["models"].elements(1...ProblemLimits.models)
        let models = try modelFields.map { try CachedModel($0) }
        let modelNumbers = try Self.numbers(modelFields, of: "model")
        let experts = models.reduce(0) { $0 + $1.layers * $1.experts }
        guard experts <= ProblemLimits.allExperts else {
            throw root["models"].refused(
                "have \(experts) experts in all, the limit is \(ProblemLimits.allExperts)")
        }
        let serverFields = try root["servers"].elements(0...ProblemLimits.servers)
        let servers = try serverFields.map { try CachingServer($0) }
        let serverNumbers = try Self.numbers(serverFields, of: "server")
        let userFields = try root["users"].elements(1...ProblemLimits.users)
        guard servers.count * userFields.count <= ProblemLimits.reaches else {
            throw root["users"].refused(
                "times servers are \(servers.count * userFields.count), the limit is "
                    + "\(ProblemLimits.reaches)")
        }
        let users = try userFields.map {
            try CachingUser($0, models: models, modelNumbers, serverNumbers)
        }
        guard users.contains(where: { $0.weight > 0 }) else {
            throw root["users"].refused("have weights of 0 only")
        }
        let userNumbers = try Self.numbers(userFields, of: "user")
        var reader = ActivationReader(models: models, users: users, userNumbers: userNumbers)
        for field in try root["activations"].elements(0...ProblemLimits.sets) {
            try reader.read(field)
        }
        self.init(
            models: models, servers: servers, users: users, activations: reader.activations)
    }

    /// Numbers by name; names are unique.
    private static func numbers(
        _ fields: [ProblemField], of kind: String
    ) throws -> [String: Int] {
        var numbers: [String: Int] = [:]
        for (number, field) in fields.enumerated() {
            let name = try field["name"].text()
            guard numbers.updateValue(number, forKey: name) == nil else {
                throw field["name"].refused("\"\(name)\" is the name of another \(kind)")
            }
        }
        return numbers
    }
}

extension CachedModel {
    fileprivate init(_ field: ProblemField) throws {
        try field.allow(["name", "layers", "experts", "expertBytes"])
        self.init(
            name: try field["name"].text(),
            layers: try field["layers"].integer(1...ProblemLimits.layers),
            experts: try field["experts"].integer(1...ProblemLimits.experts),
            expertBytes: try field["expertBytes"].integer(1...ProblemLimits.bytes))
    }
}

extension CachingServer {
    fileprivate init(_ field: ProblemField) throws {
        try field.allow(["name", "storageBytes"])
        self.init(
            name: try field["name"].text(),
            storageBytes: try field["storageBytes"].integer(0...ProblemLimits.bytes))
    }
}

extension CachingUser {
    fileprivate init(
        _ field: ProblemField, models: [CachedModel], _ modelNumbers: [String: Int],
        _ serverNumbers: [String: Int]
    ) throws {
        try field.allow([
            "name", "weight", "model", "local", "localSeconds", "serverSeconds", "cloudSeconds",
        ])
        let model = try field["model"].choice(modelNumbers, of: "model")
        var local: [ExpertPlace] = []
        if !field["local"].isMissing {
            let limit = models[model].layers * models[model].experts
            var seen: Set<ExpertPlace> = []
            local = try field["local"].elements(0...limit).map { entry in
                let place = try ExpertPlace(entry, models[model])
                guard seen.insert(place).inserted else { throw entry.refused("is there twice") }
                return place
            }
        }
        var serverSeconds = [Double](repeating: .infinity, count: serverNumbers.count)
        for (name, seconds) in try field["serverSeconds"].members(most: ProblemLimits.servers) {
            guard let number = serverNumbers[name] else { throw seconds.unknown("server") }
            serverSeconds[number] = try seconds.notNegative()
        }
        let isLocalKnown = !local.isEmpty || !field["localSeconds"].isMissing
        self.init(
            name: try field["name"].text(), weight: try field["weight"].notNegative(),
            model: model, local: local,
            localSeconds: isLocalKnown ? try field["localSeconds"].notNegative() : 0,
            serverSeconds: serverSeconds, cloudSeconds: try field["cloudSeconds"].notNegative())
    }
}

extension ExpertPlace {
    /// Reads `[layer, expert]`.
    fileprivate init(_ field: ProblemField, _ model: CachedModel) throws {
        let pair = try field.elements(2...2)
        self.init(
            layer: try pair[0].integer(0...model.layers - 1),
            expert: try pair[1].integer(0...model.experts - 1))
    }
}

/// Reads activations: every set of a model has the same number of experts.
private struct ActivationReader {
    let models: [CachedModel]
    let users: [CachingUser]
    let userNumbers: [String: Int]
    var activations: [Activation] = []
    /// `[models]`: experts per set, once one is read, and where that stood.
    private var sizes: [(count: Int, path: String)?]

    init(models: [CachedModel], users: [CachingUser], userNumbers: [String: Int]) {
        self.models = models
        self.users = users
        self.userNumbers = userNumbers
        sizes = Array(repeating: nil, count: models.count)
    }

    mutating func read(_ field: ProblemField) throws {
        try field.allow(["user", "layer", "sets"])
        let user = try field["user"].choice(userNumbers, of: "user")
        let model = models[users[user].model]
        let layer = try field["layer"].integer(0...model.layers - 1)
        for set in try field["sets"].elements(0...ProblemLimits.sets) {
            try set.allow(["experts", "probability"])
            let experts = try experts(set["experts"], users[user].model)
            guard activations.count < ProblemLimits.sets else {
                throw set.refused("is one set too many, the limit is \(ProblemLimits.sets)")
            }
            activations.append(
                Activation(
                    user: user, layer: layer, experts: experts,
                    probability: try set["probability"].number(0...1)))
        }
    }

    private mutating func experts(_ field: ProblemField, _ model: Int) throws -> [Int] {
        let limit = min(models[model].experts, ProblemLimits.perToken)
        let experts = try field.elements(1...limit).map {
            try $0.integer(0...models[model].experts - 1)
        }
        guard Set(experts).count == experts.count else {
            throw field.refused("names an expert twice")
        }
        guard let size = sizes[model] else {
            sizes[model] = (experts.count, field.path)
            return experts
        }
        guard size.count == experts.count else {
            throw field.refused(
                "has \(experts.count) experts, \(size.path) of the same model has \(size.count)")
        }
        return experts
    }
}
