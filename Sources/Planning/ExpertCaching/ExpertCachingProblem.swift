/// One model whose experts may be cached.
package struct CachedModel: Sendable, Equatable {
    package var name: String
    package var layers: Int
    /// Per layer.
    package var experts: Int
    /// Bytes of one expert; the same for all of a model.
    package var expertBytes: Int

    package init(name: String, layers: Int, experts: Int, expertBytes: Int) {
        self.name = name
        self.layers = layers
        self.experts = experts
        self.expertBytes = expertBytes
    }
}

/// One place with room for experts: an edge server, a device, a base station.
package struct CachingServer: Sendable, Equatable {
    package var name: String
    /// `Q_n`, bytes.
    package var storageBytes: Int

    package init(name: String, storageBytes: Int) {
        self.name = name
        self.storageBytes = storageBytes
    }
}

/// One user: runs attention and router of one model, and asks for experts. Times are seconds per
/// token and expert.
package struct CachingUser: Sendable, Equatable {
    package var name: String
    /// Share in the mean over users, relative to the other users'.
    package var weight: Double
    /// Index into the problem's models.
    package var model: Int
    /// Experts that the user holds itself.
    package var local: [ExpertPlace]
    /// Time of an expert that the user holds.
    package var localSeconds: Double
    /// `d_{u,n}`, `[servers]`; infinite for a server out of reach.
    package var serverSeconds: [Double]
    /// `d_{u,cloud}`: the cloud holds every expert.
    package var cloudSeconds: Double

    package init(
        name: String, weight: Double, model: Int, local: [ExpertPlace], localSeconds: Double,
        serverSeconds: [Double], cloudSeconds: Double
    ) {
        self.name = name
        self.weight = weight
        self.model = model
        self.local = local
        self.localSeconds = localSeconds
        self.serverSeconds = serverSeconds
        self.cloudSeconds = cloudSeconds
    }
}

/// One expert of a user's own model.
package struct ExpertPlace: Sendable, Hashable {
    package var layer: Int
    package var expert: Int

    package init(layer: Int, expert: Int) {
        self.layer = layer
        self.expert = expert
    }
}

/// One expert of one of the problem's models.
package struct CachedExpert: Sendable, Hashable, Comparable {
    /// Index into the problem's models.
    package var model: Int
    package var layer: Int
    package var expert: Int

    package init(model: Int, layer: Int, expert: Int) {
        self.model = model
        self.layer = layer
        self.expert = expert
    }

    /// Orders by model, layer and expert.
    package static func < (left: Self, right: Self) -> Bool {
        (left.model, left.layer, left.expert) < (right.model, right.layer, right.expert)
    }
}

/// Experts of one layer that one user's token asks for together, and how often.
package struct Activation: Sendable, Equatable {
    /// Index into the problem's users.
    package var user: Int
    package var layer: Int
    /// Different experts, in any order.
    package var experts: [Int]
    /// `p_{u,l}(A)`.
    package var probability: Double

    package init(user: Int, layer: Int, experts: [Int], probability: Double) {
        self.user = user
        self.layer = layer
        self.experts = experts
        self.probability = probability
    }
}

/// Which experts each server stores (methods, section 3; SlimCaching, arXiv 2507.06567):
///
///     τ_u(e; X) = min(local if u holds e, min over n holding e of d_{u,n}, d_{u,cloud})
///     min_X  mean_u Σ_l Σ_A p_{u,l}(A) max_{e∈A} τ_u(e; X)   s.t.  Σ_e s_e x_{n,e} ≤ Q_n
package struct ExpertCachingProblem: Sendable, Equatable {
    package var models: [CachedModel]
    package var servers: [CachingServer]
    package var users: [CachingUser]
    package var activations: [Activation]

    /// - Precondition: indices are within the lists, weights, probabilities and times are not
    ///   negative, weights not all 0, every set has at least one expert and none twice.
    package init(
        models: [CachedModel], servers: [CachingServer], users: [CachingUser],
        activations: [Activation]
    ) {
        precondition(
            models.allSatisfy { $0.layers > 0 && $0.experts > 0 && $0.expertBytes > 0 },
            "a model has layers, experts and bytes")
        precondition(
            users.allSatisfy {
                models.indices ~= $0.model && $0.serverSeconds.count == servers.count
                    && $0.weight >= 0
            } && users.contains { $0.weight > 0 },
            "a user has a model, a time for each server, and a weight")
        precondition(
            activations.allSatisfy { users.indices ~= $0.user && !$0.experts.isEmpty },
            "an activation has a user and experts")
        self.models = models
        self.servers = servers
        self.users = users
        self.activations = activations
    }
}

/// Which experts every server stores, `[servers]`, each list ascending.
package typealias CachePlacement = [[CachedExpert]]

extension ExpertCachingProblem {
    /// Bytes that each server stores, `[servers]`.
    package func bytes(_ placement: CachePlacement) -> [Int] {
        placement.map { $0.reduce(0) { $0 + models[$1.model].expertBytes } }
    }

    /// Whether every server has room for what it stores.
    package func fits(_ placement: CachePlacement) -> Bool {
        zip(bytes(placement), servers).allSatisfy { $0 <= $1.storageBytes }
    }

    /// Bytes that have to be moved to get from one placement to another; dropping costs nothing.
    package func migrationBytes(from old: CachePlacement, to new: CachePlacement) -> Int {
        zip(old, new).reduce(0) { sum, pair in
            let kept = Set(pair.0)
            return pair.1.reduce(sum) {
                $0 + (kept.contains($1) ? 0 : models[$1.model].expertBytes)
            }
        }
    }
}
