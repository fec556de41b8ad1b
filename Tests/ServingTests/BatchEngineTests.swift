import Foundation
import MoEModel
import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing
import Tokenizers

@testable import Serving

/// Many requests at once, on the shipped model.
struct BatchEngineTests {
    private let file: ModelFile
    private let model: Model
    private let tokenizer: Tokenizer

    init() throws {
        file = try ModelFile.open(Fixtures.demoModel)
        model = try Model(file)
        tokenizer = try file.makeTokenizer()
    }

    private let thread = InferenceThread()

    private func engine(
        waiting: Int = 64, rows: Int = 64, bytesLimit: Int? = nil
    ) -> (engine: BatchEngine, pool: KeyValuePool) {
        var limits = SchedulerState.Limits()
        (limits.waiting, limits.rows) = (waiting, rows)
        let pool = KeyValuePool(model.transformer, bytesLimit: bytesLimit)
        let engine = BatchEngine(
            transformer: model.transformer, selector: model.selector,
            executor: LocalExperts(layers: model.experts), tokenizer: tokenizer, pool: pool,
            limits: limits, thread: thread, clock: ManualClock())
        return (engine, pool)
    }

    private func requests() -> [CompletionRequest] {
        (0..<8).map { index in
            let text = String(repeating: "Once upon a time, ", count: 1 + index * index / 4)
            var request = CompletionRequest(prompt: tokenizer.encode(text + "\(index)"))
            request.maxTokens = 5 + index
            request.sampling.temperature = index % 2 == 0 ? 0 : 1
            request.sampling.seed = UInt64(index)
            request.sampling.frequencyPenalty = index == 3 ? 0.5 : 0
            return request
        }
    }

    private func alone(_ request: CompletionRequest) throws -> [Int] {
        var generation = Generation(
            transformer: model.transformer, selector: model.selector,
            experts: LocalExperts(layers: model.experts), clock: ManualClock(),
            sampling: request.sampling, prompt: request.prompt)
        return try (0..<request.maxTokens).map { _ in try generation.next().id }
    }

    private func tokens(
        _ stream: AsyncThrowingStream<CompletionEvent, any Error>
    ) async throws -> (ids: [Int], end: CompletionEnd?) {
        var ids: [Int] = []
        var end: CompletionEnd?
        for try await event in stream {
            switch event {
            case .token(let token): ids.append(token.score.id)
            case .end(let last): end = last
            case .prompt, .distribution, .meanState: break
            }
        }
        return (ids, end)
    }

    /// Requests that run together, twice, so that the second ones begin on kept prefixes, give the
    /// tokens of each alone; at the end nothing but prefixes is held.
    @Test func requestsTogetherAreAsAlone() async throws {
        let (engine, pool) = engine(rows: 32)
        let requests = requests()
        for _ in 0..<2 {
            let streams = try requests.map { try engine.submit($0) }
            for (request, stream) in zip(requests, streams) {
                let (ids, end) = try await tokens(stream)
                #expect(ids == (try alone(request)))
                #expect(end?.reason == .length)
                #expect(end?.promptTokens == request.prompt.count)
            }
        }
        let again = try await tokens(engine.submit(requests[7]))
        #expect((again.end?.reusedTokens ?? 0) >= KeyValuePool.pagePositions)
        // The last step has been made when the thread does something else.
        try await thread.run {}
        #expect(engine.load.running == 0)
        #expect(pool.usage.pagesInUse > 0)
    }

    /// With memory for two of them at a time, all of them still end right.
    @Test func littleMemoryOnlyMakesThemWait() async throws {
        let page = KeyValuePool(model.transformer).pageBytes
        let size = KeyValuePool.pagePositions
        let requests = requests()
        let most = requests.map { ($0.prompt.count + $0.maxTokens + size - 1) / size }.max() ?? 1
        let (engine, pool) = engine(bytesLimit: page * (most + 1))
        let streams = try requests.map { try engine.submit($0) }
        for (request, stream) in zip(requests, streams) {
            #expect(try await tokens(stream).ids == alone(request))
        }
        #expect(pool.usage.pagesInUse <= most + 1)
    }

    @Test func refusalsNameTheLimit() throws {
        let (engine, _) = engine(waiting: 0)
        var request = CompletionRequest(prompt: [1])
        #expect(throws: CompletionRefusal.queueFull(limit: 0, retrySeconds: 1)) {
            try engine.submit(request)
        }
        request.maxTokens = engine.positionsLimit + 1
        #expect(
            throws: CompletionRefusal.tooLong(
                positions: request.maxTokens, limit: engine.positionsLimit)
        ) { try engine.submit(request) }
        engine.stop()
        request.maxTokens = 1
        #expect(throws: CompletionRefusal.stopping) { try engine.submit(request) }
    }

    /// Holds the thread until the gate is opened.
    private func gate() -> DispatchSemaphore {
        let gate = DispatchSemaphore(value: 0)
        thread.submit { gate.wait() }
        return gate
    }

    /// Whoever stops listening, before the first step or after it, frees what the request held.
    @Test(arguments: [false, true])
    func whoGoesAwayFreesEverything(_ waitsForToken: Bool) async throws {
        let (engine, pool) = engine()
        var request = CompletionRequest(prompt: [1, 2, 3])
        request.maxTokens = 400
        let first = gate()
        var stream: AsyncThrowingStream<CompletionEvent, any Error>? = try engine.submit(request)
        let second = gate()
        if !waitsForToken { stream = nil }
        first.signal()
        if let open = stream {
            for try await _ in open { break }
            #expect(pool.usage.pagesInUse == 1)
        }
        stream = nil
        second.signal()
        // Two more pieces of work, since the next step may be behind the first of them.
        for _ in 0..<2 { try await thread.run {} }
        #expect(engine.load.running + engine.load.waiting == 0)
        #expect(pool.usage.pagesInUse == 0)
    }

    /// The prompt's scores and the next token's distribution are those of the logits.
    @Test func scoresAreThoseOfTheLogits() async throws {
        let (engine, _) = engine(rows: 16)
        var request = CompletionRequest(prompt: tokenizer.encode("Once upon a time there was"))
        (request.maxTokens, request.promptLogprobs) = (0, 2)
        request.reading = .distribution
        var scores: [TokenScore] = []
        var distribution: [Float] = []
        for try await event in try engine.submit(request) {
            if case .prompt(let all) = event { scores = all }
            if case .distribution(let values) = event { distribution = values }
        }
        var cache = KeyValuePool(model.transformer).makeCache()
        let logits = try model.transformer.forward(
            request.prompt, cache: &cache, rows: .all, selector: model.selector,
            experts: LocalExperts(layers: model.experts))
        #expect(scores.map(\.id) == request.prompt)
        #expect(scores[0].logprob == nil)
        for row in 0..<request.prompt.count {
            let values = logits.row(row).map(Double.init)
            let sum = log(values.reduce(0) { $0 + exp($1) })
            guard row + 1 < request.prompt.count else {
                #expect(zip(values, distribution).allSatisfy { abs($0 - sum - Double($1)) < 1e-4 })
                continue
            }
            let right = values[request.prompt[row + 1]] - sum
            #expect(abs(Double(scores[row + 1].logprob ?? 0) - right) < 1e-4)
            #expect(scores[row + 1].top.first?.id == greatest(logits.row(row)))
        }
    }

    /// A model whose angles depend on the step's length reads a prompt in one step, as alone.
    @Test func dynamicScalingSplitsNoPrompt() async throws {
        let path = Fixtures.path("variants/llama-dynamic")
        let dynamic = try Model(try ModelFile.open(path))
        #expect(!dynamic.transformer.stepsMayBeSplit)
        #expect(model.transformer.stepsMayBeSplit)
        var limits = SchedulerState.Limits()
        limits.rows = 4
        let engine = BatchEngine(
            transformer: dynamic.transformer, selector: dynamic.selector,
            executor: LocalExperts(layers: dynamic.experts), tokenizer: tokenizer,
            pool: KeyValuePool(dynamic.transformer), limits: limits, thread: thread,
            clock: ManualClock())
        var request = CompletionRequest(prompt: Array(1...12))
        request.maxTokens = 1
        let ids = try await tokens(engine.submit(request)).ids
        try await thread.run {}
        #expect(engine.activity.cost.steps == 1)
        var generation = Generation(
            transformer: dynamic.transformer, selector: dynamic.selector,
            experts: LocalExperts(layers: dynamic.experts), clock: ManualClock(),
            sampling: request.sampling, prompt: request.prompt)
        #expect(try ids == [generation.next().id])
    }
}
