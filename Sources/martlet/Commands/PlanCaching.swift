import ArgumentParser
import Planning
import SystemModel

extension CachingAlgorithm: ExpressibleByArgument {}

struct PlanCaching: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "caching",
        abstract: "Choose which experts each server stores.",
        discussion: """
            The problem: {"models": [{"name": S, "layers": L, "experts": E, "expertBytes": N}], \
            "servers": [{"name": S, "storageBytes": N}], "users": [{"name": S, "weight": F, \
            "model": S, "local": [[layer, expert]], "localSeconds": F, "serverSeconds": \
            {SERVER: F}, "cloudSeconds": F}], "activations": [{"user": S, "layer": N, "sets": \
            [{"experts": [N], "probability": F}]}]}. Seconds are per token and expert; a server \
            that serverSeconds lacks is out of the user's reach. An expert takes the least time of \
            the places that hold it, a layer the most of its set, a token the sum of its layers; \
            users are averaged by weight.
            """)

    @Option(help: "A JSON file.")
    var problem: String

    @Option(help: "How experts are placed.")
    var algorithm = CachingAlgorithm.best

    @Option(help: "best: at most so many sweeps from each start.")
    var sweeps = CachingOptions().sweeps

    @Option(help: "best, random: what random choices follow from.")
    var seed: UInt64 = 0

    @Option(
        help: """
            maxconv: the share that a server's content may save less than possible, where experts \
            have several sizes.
            """)
    var epsilon = CachingOptions().epsilon

    @Option(help: "greedy: start from every placement of up to so many experts, 0 to 3.")
    var enumerate = 0

    @Option(help: "best: start also from the placement in this file, an earlier answer.")
    var start: String?

    @Option(help: "best: move at most so many bytes from --start, as 500MB; dropping is free.")
    var migration: ByteSize?

    @Option(
        help: """
            Keep --start and plan again only for a server of this name, which has changed, and \
            those that feel it most; in place of --algorithm.
            """)
    var changed: String?

    @Flag(
        help: """
            Print one JSON object: placement, secondsPerToken, savedSecondsPerToken, bytes, \
            wallSeconds (planning alone, without reading the file).
            """)
    var json = false

    func validate() throws {
        guard 1...10_000 ~= sweeps else { throw ValidationError("--sweeps takes 1 to 10000") }
        guard 0..<1 ~= epsilon else { throw ValidationError("--epsilon takes 0 to 1, without 1") }
        guard 0...3 ~= enumerate else { throw ValidationError("--enumerate takes 0 to 3") }
        guard start != nil || (migration == nil && changed == nil) else {
            throw ValidationError("--migration and --changed need --start")
        }
        guard start == nil || algorithm == .best else {
            throw ValidationError("--start needs --algorithm best")
        }
        guard migration == nil || changed == nil else {
            throw ValidationError("--changed takes no --migration")
        }
    }

    func run() throws {
        let problem = try ExpertCachingProblem(try ProblemField(file: problem))
        let planner = ExpertCachingPlanner(problem)
        try check(planner)
        let answer =
            try changed.map { try replanned($0, problem, planner) }
            ?? planned(problem, planner)
        guard !json else { return try Output.json(answer) }
        Output.line(Readable.table(answer.table))
        Output.line(
            "\(answer.secondsPerToken) s per token, \(answer.savedSecondsPerToken) s less than "
                + "with the cloud alone; planned in \(answer.wallSeconds) s")
    }

    private func planned(
        _ problem: ExpertCachingProblem, _ planner: ExpertCachingPlanner
    ) throws -> CachingAnswer {
        var options = options
        options.running = try start.map { try problem.placement(ProblemField(file: $0)) }
        let clock = SystemClock()
        let begin = clock.now
        let plan = try planner.plan(algorithm, options, observe: Self.progress)
        return CachingAnswer(problem, plan, wallSeconds: (clock.now - begin).seconds)
    }

    private func replanned(
        _ name: String, _ problem: ExpertCachingProblem, _ planner: ExpertCachingPlanner
    ) throws -> CachingAnswer {
        guard let server = problem.servers.firstIndex(where: { $0.name == name }) else {
            throw CommandError("\(self.problem): servers has no \"\(name)\", named by --changed")
        }
        let running = try problem.placement(ProblemField(file: start ?? ""), resized: server)
        var replanner = CachingReplanner(planner, running)
        let clock = SystemClock()
        let begin = clock.now
        replanner.change(
            server: server, storageBytes: problem.servers[server].storageBytes,
            userSeconds: problem.users.map { $0.serverSeconds[server] })
        let seconds = (clock.now - begin).seconds
        return CachingAnswer(problem, replanner.plan, wallSeconds: seconds)
    }

    private var options: CachingOptions {
        var options = CachingOptions()
        options.migrationBytes = migration?.count
        options.sweeps = sweeps
        options.seed = seed
        options.epsilon = epsilon
        options.seedSize = enumerate
        return options
    }

    /// Refuses what would take for ever.
    private func check(_ planner: ExpertCachingPlanner) throws {
        if algorithm == .exhaustive {
            let count = ExhaustiveCaching.placementCount(planner)
            guard count <= ExhaustiveCaching.placementLimit else {
                throw CommandError(
                    "\(problem): has \(count) placements to try, the limit is "
                        + "\(ExhaustiveCaching.placementLimit); use another algorithm")
            }
        }
        if algorithm == .greedy {
            let count = planner.greedySeedCount(size: enumerate)
            guard count <= ExpertCachingPlanner.greedySeedLimit else {
                throw CommandError(
                    "\(problem): has \(count) placements to start from, the limit is "
                        + "\(ExpertCachingPlanner.greedySeedLimit); use a smaller --enumerate")
            }
        }
    }

    /// One line a second on standard error.
    static var progress: (CachingObserver) throws -> Void {
        let pace = ProgressPace()
        _ = pace.allows("caching", isLast: false)
        return { observer in
            guard pace.allows("caching", isLast: false) else { return }
            Output.note(
                "caching: \(observer.done) of \(observer.total) starts, saves "
                    + "\(observer.savedSeconds) s per token")
        }
    }
}

/// What `plan caching` prints.
struct CachingAnswer: Encodable {
    let placement: [String: [StoredExpert]]
    let secondsPerToken: Double
    let savedSecondsPerToken: Double
    let bytes: [String: Int]
    let wallSeconds: Double

    /// `[model, layer, expert]`.
    struct StoredExpert: Encodable {
        let model: String
        let layer: Int
        let expert: Int

        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(model)
            try container.encode(layer)
            try container.encode(expert)
        }
    }

    init(_ problem: ExpertCachingProblem, _ plan: ExpertCachingPlan, wallSeconds: Double) {
        let stored = plan.placement.map { experts in
            experts.map {
                StoredExpert(
                    model: problem.models[$0.model].name, layer: $0.layer, expert: $0.expert)
            }
        }
        let names = problem.servers.map(\.name)
        placement = Dictionary(uniqueKeysWithValues: zip(names, stored))
        bytes = Dictionary(uniqueKeysWithValues: zip(names, problem.bytes(plan.placement)))
        secondsPerToken = plan.secondsPerToken
        savedSecondsPerToken = plan.savedSecondsPerToken
        self.wallSeconds = wallSeconds
    }

    /// Servers, by name.
    var table: [[String]] {
        let rows = bytes.sorted { $0.key < $1.key }.map { name, bytes in
            [name, "\(placement[name]?.count ?? 0)", "\(bytes)"]
        }
        return [["server", "experts", "bytes"]] + rows
    }
}
