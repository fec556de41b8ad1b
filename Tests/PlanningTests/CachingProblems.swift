import SystemModel

@testable import Planning

/// Random caching problems and a slow evaluation that shares nothing with the planner's.
enum CachingProblems {
    /// How large a random problem is.
    struct Size {
        var servers = 2
        var users = 2
        var models = 1
        var layers = 2
        var experts = 4
        var perSet = 2
        var sets = 5
        var slots = 1...4
        var expertBytes = [10]
    }

    static func random(_ size: Size, using generator: inout SeededGenerator) -> ExpertCachingProblem
    {
        let models = (0..<size.models).map { number in
            CachedModel(
                name: "m\(number)", layers: size.layers, experts: size.experts,
                expertBytes: size.expertBytes[number % size.expertBytes.count])
        }
        let largest = size.expertBytes.max() ?? 1
        let servers = (0..<size.servers).map { number in
            let slots = Int.random(in: size.slots, using: &generator)
            return CachingServer(
                name: "s\(number)", storageBytes: slots * largest + Int(generator.next() % 9))
        }
        let users = (0..<size.users).map { number -> CachingUser in
            let model = Int(generator.next() % UInt64(size.models))
            let all = (0..<size.layers).flatMap { layer in
                (0..<size.experts).map { ExpertPlace(layer: layer, expert: $0) }
            }
            return CachingUser(
                name: "u\(number)", weight: 0.1 + generator.uniform(), model: model,
                local: all.filter { _ in generator.uniform() < 0.1 },
                localSeconds: 0.02 * generator.uniform(),
                serverSeconds: servers.map { _ in
                    generator.uniform() < 0.1 ? .infinity : 0.01 + 0.1 * generator.uniform()
                },
                cloudSeconds: 0.05 + 0.2 * generator.uniform())
        }
        var activations: [Activation] = []
        for user in users.indices {
            for layer in 0..<size.layers {
                for _ in 0..<size.sets {
                    let experts = Array(0..<size.experts).shuffled(using: &generator)
                    activations.append(
                        Activation(
                            user: user, layer: layer, experts: Array(experts.prefix(size.perSet)),
                            probability: generator.uniform() / Double(size.sets)))
                }
            }
        }
        return ExpertCachingProblem(
            models: models, servers: servers, users: users, activations: activations)
    }

    /// One size per seed: all small, every second with K = 1.
    static func small(seed: UInt64) -> ExpertCachingProblem {
        var generator = SeededGenerator(seed: seed)
        var size = Size()
        size.users = 1 + Int(generator.next() % 3)
        size.models = seed % 5 == 0 ? 2 : 1
        size.layers = seed % 5 == 0 ? 1 : 2
        size.perSet = [1, 2, 1, 3][Int(seed % 4)]
        size.expertBytes = seed % 5 == 0 ? [10, 15] : [10]
        size.slots = seed % 3 == 0 ? 1...2 : 2...3
        return random(size, using: &generator)
    }

    /// Seconds per token, straight from the definition.
    static func seconds(_ problem: ExpertCachingProblem, _ placement: CachePlacement) -> Double {
        let total = problem.users.reduce(0) { $0 + $1.weight }
        return problem.activations.reduce(0) { sum, activation in
            let user = problem.users[activation.user]
            let slowest = activation.experts.map { expert -> Double in
                var least = user.cloudSeconds
                if user.local.contains(ExpertPlace(layer: activation.layer, expert: expert)) {
                    least = min(least, user.localSeconds)
                }
                let wanted = CachedExpert(
                    model: user.model, layer: activation.layer, expert: expert)
                for (server, content) in placement.enumerated() where content.contains(wanted) {
                    least = min(least, user.serverSeconds[server])
                }
                return least
            }
            return sum + user.weight / total * activation.probability * (slowest.max() ?? 0)
        }
    }
}
