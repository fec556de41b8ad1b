package import MoEModel
import Synchronization
package import SystemModel
import Tensors
package import Tokenizers

/// Answers many requests at once: in each step of the model all running sequences advance together.
///
/// The steps run on the inference thread, one after another as long as there is work; between two
/// steps the thread is open to others. Requests come and go at any time. A request's tokens are
/// those that it would get alone: no result depends on what runs beside it.
package final class BatchEngine: Sendable {
    /// What the engine is doing.
    package struct Load: Sendable, Equatable {
        package let waiting: Int
        package let running: Int
        package let memory: KeyValuePool.Usage
        /// Texts kept for reuse.
        package let prefixes: Int
    }

    /// What changes while it runs. Only the inference thread holds it for long.
    struct State {
        var scheduler: SchedulerState
        var completions: [Int: RunningCompletion] = [:]
        var prefixes = PrefixIndex()
        var activity = EngineActivity()
        var executor: any ExpertExecutor
    }

    /// What others leave for the next step.
    private struct Inbox {
        var submitted: [(id: Int, completion: RunningCompletion)] = []
        var cancelled: Set<Int> = []
        var nextID = 0
        var waiting = 0
        var running = 0
        var prefixes = 0
        var activity = EngineActivity()
        var isStepping = false
        var isStopping = false
        /// Seconds from submission to end of recent answers, smoothed: what a full queue tells.
        var answerSeconds = 1.0
    }

    private let transformer: Transformer
    private let tokenizer: Tokenizer
    private let pool: KeyValuePool
    private let limits: SchedulerState.Limits
    private let thread: InferenceThread
    private let clock: any MonotonicClock
    private let recorder: RoutingRecorder
    private let state: Mutex<State>
    private let inbox = Mutex(Inbox())

    /// - Parameters:
    ///   - pool: where keys and values live; its limit decides how many sequences run.
    package init(
        transformer: Transformer, selector: any ExpertSelector,
        executor: sending any ExpertExecutor, tokenizer: Tokenizer, pool: KeyValuePool,
        limits: SchedulerState.Limits, thread: InferenceThread, clock: any MonotonicClock
    ) {
        self.transformer = transformer
        self.tokenizer = tokenizer
        self.pool = pool
        var limits = limits
        limits.splitsPrompts = transformer.stepsMayBeSplit
        self.limits = limits
        self.thread = thread
        self.clock = clock
        recorder = RoutingRecorder(selector)
        state = Mutex(State(scheduler: SchedulerState(limits), executor: executor))
    }

    /// Most positions that one prompt and its answer may take together.
    package var positionsLimit: Int {
        let (positions, overflow) = pool.pagesLimit.multipliedReportingOverflow(
            by: KeyValuePool.pagePositions)
        return min(
            overflow ? .max : positions, transformer.configuration.contextLength)
    }

    /// Most bytes of keys and values.
    package var memoryLimit: Int { pool.bytesLimit }

    package var load: Load {
        let usage = pool.usage
        return inbox.withLock {
            Load(
                waiting: $0.waiting, running: $0.running, memory: usage, prefixes: $0.prefixes)
        }
    }

    /// What was done so far, up to the last step.
    package var activity: EngineActivity { inbox.withLock { $0.activity } }

    /// `[layer][expert]`: how often each was visited so far, prompts included; shorter where what
    /// would follow was never visited. Costs a copy.
    package var expertVisits: [[Int]] { recorder.visits }

    /// Takes a request. Whoever drops the stream cancels it; everything it held is then free.
    ///
    /// - Throws: `CompletionRefusal` if it is not taken. The stream throws what the experts throw.
    package func submit(
        _ request: CompletionRequest
    ) throws(CompletionRefusal) -> AsyncThrowingStream<CompletionEvent, any Error> {
        let positions = request.prompt.count + max(0, request.maxTokens - 1)
        guard positions <= positionsLimit else {
            throw .tooLong(positions: positions, limit: positionsLimit)
        }
        let (stream, events) = AsyncThrowingStream.makeStream(of: CompletionEvent.self)
        let completion = RunningCompletion(
            request, events: events, submitted: clock.now, cache: pool.makeCache(),
            tokenizer: tokenizer)
        let id = try add(completion)
        events.onTermination = { [weak self] reason in
            if case .cancelled = reason { self?.cancel(id) }
        }
        return stream
    }

    /// Takes no more requests; those it has go on to their ends, or until `cancelAll()`.
    package func stop() {
        inbox.withLock { $0.isStopping = true }
    }

    /// Cuts all requests off.
    package func cancelAll() {
        inbox.withLock { $0.cancelled.formUnion(0..<$0.nextID) }
        wake()
    }

    private func add(_ completion: RunningCompletion) throws(CompletionRefusal) -> Int {
        let limit = limits.waiting
        let result: Result<Int, CompletionRefusal> = inbox.withLock { inbox in
            if inbox.isStopping { return .failure(.stopping) }
            guard inbox.waiting + inbox.submitted.count < limit else {
                let seconds = Int(inbox.answerSeconds.rounded(.up))
                return .failure(
                    .queueFull(limit: limit, retrySeconds: min(max(seconds, 1), 600)))
            }
            defer { inbox.nextID += 1 }
            inbox.submitted.append((inbox.nextID, completion))
            return .success(inbox.nextID)
        }
        let id = try result.get()
        wake()
        return id
    }

    private func cancel(_ id: Int) {
        inbox.withLock { _ = $0.cancelled.insert(id) }
        wake()
    }

    /// Sees that steps are being made.
    private func wake() {
        let starts = inbox.withLock { inbox in
            defer { inbox.isStepping = true }
            return !inbox.isStepping
        }
        if starts { thread.submit { [weak self] in self?.step() } }
    }

    /// One step of everything that runs; then the next, if there is work.
    private func step() {
        let isIdle = state.withLock { state in
            receive(&state)
            admit(&state)
            advance(&state)
            return publish(state)
        }
        if !isIdle { thread.submit { [weak self] in self?.step() } }
    }

    /// Takes in what came since the last step.
    private func receive(_ state: inout State) {
        let (submitted, cancelled) = inbox.withLock { inbox in
            defer { (inbox.submitted, inbox.cancelled) = ([], []) }
            return (inbox.submitted, inbox.cancelled)
        }
        for (id, completion) in submitted {
            state.scheduler.submit(
                SchedulerState.Sequence(
                    id: id, promptCount: completion.request.prompt.count,
                    answerLimit: completion.request.maxTokens))
            state.completions[id] = completion
        }
        for id in cancelled where state.completions[id] != nil {
            state.completions[id]?.events.finish()
            remove(id, &state)
        }
        let now = clock.now
        for (id, completion) in state.completions {
            guard let limit = completion.request.timeLimit, now - completion.submitted > limit
            else { continue }
            finish(id, .timeLimit, &state)
        }
    }

    /// Lets requests in as long as there is memory for their whole prompt and answer.
    private func admit(_ state: inout State) {
        while let next = state.scheduler.next {
            let size = KeyValuePool.pagePositions
            let needed = (next.positions + size - 1) / size
            let promised = state.scheduler.running.reduce(0) { sum, sequence in
                let held = state.completions[sequence.id]?.cache.pageCount ?? 0
                return sum + max(0, (sequence.positions + size - 1) / size - held)
            }
            while pool.usage.pagesInUse + promised + needed > pool.pagesLimit {
                guard state.prefixes.forgetOne() else { return }
            }
            begin(next.id, &state)
        }
    }

    private func begin(_ id: Int, _ state: inout State) {
        guard var completion = state.completions.removeValue(forKey: id) else { return }
        let prefix =
            completion.request.readsWholePrompt || !limits.splitsPrompts
            ? nil : state.prefixes.longestPrefix(of: completion.request.prompt)
        let now = clock.now
        completion.begin(with: prefix, at: now)
        state.activity.queue.add((now - completion.submitted).seconds)
        state.activity.reusedTokens += completion.reusedTokens
        state.scheduler.admit(reused: completion.reusedTokens)
        state.completions[id] = completion
    }

    private func advance(_ state: inout State) {
        let shares = state.scheduler.step()
        guard !shares.isEmpty else { return }
        var steps: [SequenceStep] = []
        for share in shares {
            guard let step = state.completions[share.id]?.step(share.rows, draws: share.draws)
            else { preconditionFailure("what is scheduled is there") }
            steps.append(step)
        }
        let start = clock.now
        recorder.beginStep()
        do {
            let logits = try transformer.forward(
                &steps, selector: recorder, experts: state.executor)
            var cost = state.executor.takeCosts()
            cost.totalSeconds = (clock.now - start).seconds
            cost.tokens = steps.reduce(0) { $0 + $1.ids.count }
            cost.steps = 1
            state.activity.cost.add(cost)
            take(shares, &steps, logits, cost, &state)
        } catch {
            _ = state.executor.takeCosts()
            for share in shares {
                state.completions[share.id]?.events.finish(throwing: error)
                remove(share.id, &state)
            }
        }
    }

    /// Hands a step's results to the sequences.
    private func take(
        _ shares: [SchedulerState.Share], _ steps: inout [SequenceStep], _ logits: [Matrix],
        _ cost: CostRecord, _ state: inout State
    ) {
        let now = clock.now
        var row = 0
        for (index, share) in shares.enumerated() {
            guard var completion = state.completions.removeValue(forKey: share.id) else { continue }
            row += share.rows
            completion.add(cost: cost.share(row - share.rows..<row, of: cost.tokens))
            let step = steps[index]
            steps[index].cache = KeyValueCache(pool: pool)
            let before = (tokens: completion.answerTokens, draw: completion.lastDraw)
            let visits =
                share.draws ? recorder.visits(ofRow: row - 1, hosts: cost.hosts) : []
            let reason = completion.advance(
                step, results: logits[index], draws: share.draws, visits: visits, at: now)
            if before.draw == nil { state.activity.promptTokens += share.rows }
            state.activity.answerTokens += completion.answerTokens - before.tokens
            if completion.lastDraw != nil {
                state.activity.drew(after: before.draw, of: completion.submitted, at: now)
            }
            if share.draws, completion.answerTokens <= 1 {
                keep(completion.request.prompt, completion.cache, &state)
            }
            state.completions[share.id] = completion
            if let reason { finish(share.id, reason, &state) }
        }
    }

    private func finish(_ id: Int, _ reason: CompletionEnd.Reason, _ state: inout State) {
        guard var completion = state.completions.removeValue(forKey: id) else { return }
        let now = clock.now
        completion.events.yield(.end(completion.end(reason, at: now)))
        completion.events.finish()
        keep(completion.text, completion.cache, &state)
        let seconds = (now - completion.submitted).seconds
        inbox.withLock { $0.answerSeconds += 0.1 * (seconds - $0.answerSeconds) }
        remove(id, &state)
    }

    /// Keeps what was read for texts that begin alike, unless reading on would give something else.
    private func keep(_ ids: [Int], _ cache: KeyValueCache, _ state: inout State) {
        if limits.splitsPrompts { state.prefixes.insert(ids, cache) }
    }

    private func remove(_ id: Int, _ state: inout State) {
        state.completions[id] = nil
        state.scheduler.remove(id)
    }

    /// Tells how much there is to do; whether there is nothing.
    private func publish(_ state: State) -> Bool {
        inbox.withLock { inbox in
            inbox.waiting = state.scheduler.waiting.count
            inbox.running = state.scheduler.running.count
            inbox.prefixes = state.prefixes.count
            inbox.activity = state.activity
            let isIdle =
                state.scheduler.isEmpty && inbox.submitted.isEmpty && inbox.cancelled.isEmpty
            inbox.isStepping = !isIdle
            return isIdle
        }
    }
}
