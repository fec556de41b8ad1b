import Coordinator
import MoEModel
import NIOTransport
import Synchronization
import SystemModel
import Tensors

/// A model ready to run, with its experts here or on devices.
final class Engine: Sendable {
    let opened: OpenedModel
    /// Nil when all experts are here.
    let coordinator: Coordinator?
    let thread = InferenceThread()
    private let executor: Mutex<any ExpertExecutor>
    private let selector: any ExpertSelector

    /// - Parameters:
    ///   - station: nil when all experts are here.
    ///   - deadline: the least time a device is given for a batch, in seconds.
    ///   - prefetches: whether the next layer's likely experts are fetched ahead.
    init(
        _ opened: OpenedModel, station: BaseStation?, deadline: Double, prefetches: Bool = false
    ) {
        self.opened = opened
        coordinator = station?.coordinator
        selector = Self.selector(opened.model, station)
        executor = Mutex(
            Self.executor(opened.model, station, deadline: deadline, prefetches: prefetches))
    }

    /// Who chooses experts: the model, or the station's planner.
    static func selector(_ model: Model, _ station: BaseStation?) -> any ExpertSelector {
        guard let planner = station?.planner, let experts = model.configuration.experts else {
            return model.selector
        }
        return planner.selector(experts)
    }

    /// What runs the experts: this machine, or the station's devices.
    static func executor(
        _ model: Model, _ station: BaseStation?, deadline: Double, prefetches: Bool
    ) -> sending any ExpertExecutor {
        guard let coordinator = station?.coordinator else {
            let experts = LocalExperts(layers: model.experts)
            return prefetches
                ? prefetching(experts, model, WeightFetcher(model.experts)) : experts
        }
        var policy = RemoteExperts.DeadlinePolicy()
        policy.floor = .seconds(deadline)
        let experts = RemoteExperts(
            coordinator: coordinator, local: model.experts, deadlines: policy,
            planner: station?.planner, fillsPageCache: prefetches)
        return prefetching(experts, model, experts)
    }

    private static func prefetching(
        _ experts: any ExpertExecutor, _ model: Model, _ fetcher: any ExpertFetching
    ) -> any ExpertExecutor {
        PrefetchingExperts(
            experts, transformer: model.transformer, selector: model.selector, fetcher: fetcher)
    }

    /// Runs `body` with the model and its devices; afterwards nothing of them is left.
    static func run<Result: Sendable>(
        _ opened: OpenedModel, _ options: DeviceOptions, prefetches: Bool = false,
        _ body: (Engine) async throws -> Result
    ) async throws -> Result {
        options.threads.apply()
        guard let wanted = options.localDevices ?? options.waitDevices else {
            return try await body(
                Engine(opened, station: nil, deadline: 1, prefetches: prefetches))
        }
        let station = try await BaseStation.start(
            opened, options.station,
            at: options.devicesListen ?? Endpoint(host: "127.0.0.1", port: 0),
            localDevices: options.localDevices, wanted: wanted)
        do {
            let engine = Engine(
                opened, station: station, deadline: options.station.deadline,
                prefetches: prefetches)
            try await station.waitForDevices()
            let result = try await body(engine)
            await station.stop()
            return result
        } catch {
            await station.stop()
            throw error
        }
    }

    /// Gives newcomers experts, as the coordinator does, until cancelled.
    func dealToNewcomers() async {
        await coordinator?.dealToNewcomers(on: thread)
    }

    /// Runs one piece of work on the inference thread.
    func work<Result: Sendable>(
        _ body:
            @escaping @Sendable (Transformer, any ExpertSelector, any ExpertExecutor) throws ->
            Result
    ) async throws -> Result {
        try await thread.run { [self] in
            try executor.withLock { try body(opened.model.transformer, selector, $0) }
        }
    }

    /// The logits of every position of a sequence of its own: `[ids × vocabulary]`.
    func logits(_ ids: [Int]) async throws -> Matrix {
        let pool = opened.keyValuePool
        return try await work { transformer, selector, experts in
            var cache = pool.makeCache()
            var values: [Float] = []
            var rest = ids[...]
            while !rest.isEmpty {
                let step = Array(
                    rest.prefix(transformer.stepsMayBeSplit ? Generation.prefillRows : ids.count))
                rest = rest.dropFirst(step.count)
                values += try transformer.forward(
                    step, cache: &cache, rows: .all, selector: selector, experts: experts
                ).values
            }
            return Matrix(
                rows: ids.count, columns: transformer.configuration.vocabulary, values: values)
        }
    }

    /// What the model's passes have cost since the last call.
    func takeCosts() async throws -> CostRecord {
        try await work { _, _, experts in experts.takeCosts() }
    }

    /// Generates until `stop`, `limit` or the end of the model's context; `onToken` sees each token
    /// as it comes.
    ///
    /// - Parameter longestDraft: most tokens guessed ahead and verified in one pass; 0 for none.
    func generate(
        _ prompt: [Int], limit: Int, sampling: SamplingOptions, stop: Set<Int>,
        longestDraft: Int = 0,
        onToken: @escaping @Sendable (Generation.Token) throws -> Void
    ) async throws {
        let cancelled = CancellationFlag()
        let pool = opened.keyValuePool
        let room = opened.model.configuration.contextLength - prompt.count
        if limit > room { Output.note("the context has room for \(room) new tokens, not \(limit)") }
        try await withTaskCancellationHandler {
            try await work { transformer, selector, experts in
                var generation = Generation(
                    transformer: transformer, selector: selector, experts: experts,
                    clock: SystemClock(), sampling: sampling, prompt: prompt,
                    cache: pool.makeCache(), longestDraft: longestDraft)
                for _ in 0..<min(limit, room) {
                    try cancelled.check()
                    let token = try generation.next()
                    if stop.contains(token.id) { break }
                    try onToken(token)
                }
            }
        } onCancel: {
            cancelled.set()
        }
    }
}

extension Coordinator {
    /// Deals the experts anew whenever a device has none, until cancelled.
    ///
    /// On the inference thread, and so between two pieces of its work: what `Engine` generates is
    /// one piece, and a step of `BatchEngine` is one.
    func dealToNewcomers(on thread: InferenceThread) async {
        while !Task.isCancelled {
            await wait { $0.hasSpareDevices }
            try? await thread.run {
                if self.membership.hasSpareDevices { self.replan() }
            }
        }
    }
}

/// Tells the inference thread, which knows no tasks, that nobody waits for the answer any more.
private final class CancellationFlag: Sendable {
    private let isSet = Mutex(false)

    func set() {
        isSet.withLock { $0 = true }
    }

    func check() throws {
        if isSet.withLock({ $0 }) { throw CancellationError() }
    }
}
