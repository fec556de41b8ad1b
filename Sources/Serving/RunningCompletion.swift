import Foundation
import MoEModel
import StructuredOutput
import SystemModel
import Tensors
import Tokenizers

/// One request on its way: what it has read and said.
///
/// Lives on the inference thread; the engine decides when it advances.
struct RunningCompletion {
    typealias Events = AsyncThrowingStream<CompletionEvent, any Error>.Continuation

    let request: CompletionRequest
    let events: Events
    /// When it was submitted, by the engine's clock.
    let submitted: Duration
    var cache: KeyValueCache
    /// Prompt and answer so far.
    private(set) var text: [Int]
    private(set) var reusedTokens = 0
    private(set) var cost = CostRecord()
    /// When a token was last drawn.
    private(set) var lastDraw: Duration?
    private var started: Duration?
    private var firstToken: Duration?
    private var sampler: Sampler
    private var decoder: StreamDecoder
    private var matcher: StopMatcher
    private var constraint: TokenConstraint?
    private var promptScores: [TokenScore] = []
    /// The sum of the hidden states so far, `[hidden]`, if their mean is wanted.
    private var stateSum: [Float] = []

    init(
        _ request: CompletionRequest, events: Events, submitted: Duration, cache: KeyValueCache,
        tokenizer: Tokenizer
    ) {
        self.request = request
        self.events = events
        self.submitted = submitted
        self.cache = cache
        text = request.prompt
        sampler = Sampler(request.sampling)
        decoder = StreamDecoder(
            tokenizer, skippingSpecialTokens: !request.showsSpecialTokens)
        matcher = StopMatcher(request.stop)
        constraint = request.constraint
    }

    var answerTokens: Int { text.count - request.prompt.count }

    /// Starts on what another text has read alike.
    mutating func begin(with prefix: KeyValueCache?, at now: Duration) {
        started = now
        guard let prefix else { return }
        cache = prefix
        reusedTokens = prefix.positions
    }

    /// The step that reads the next `count` tokens. The cache moves into it, or writing would copy
    /// its last page.
    mutating func step(_ count: Int, draws: Bool) -> SequenceStep {
        let ids = Array(text[cache.positions..<cache.positions + count])
        let step = SequenceStep(
            ids: ids, cache: cache,
            rows: request.readsWholePrompt && answerTokens == 0 ? .all : draws ? .last : .none,
            result: request.reading == .meanState ? .hiddenStates : .logits)
        cache = KeyValueCache(pool: cache.pool)
        return step
    }

    /// Adds the request's part of a step's costs.
    mutating func add(cost share: CostRecord) {
        cost.add(share)
    }

    /// Takes a step's result back.
    ///
    /// - Parameters:
    ///   - results: the rows that the step asked for.
    ///   - visits: by layer the experts that the step's last row visited.
    /// - Returns: why the answer ended, or nil.
    mutating func advance(
        _ step: SequenceStep, results: Matrix, draws: Bool, visits: [[ExpertVisit]],
        at now: Duration
    ) -> CompletionEnd.Reason? {
        cache = step.cache
        if answerTokens == 0 {
            read(results, from: cache.positions - step.ids.count)
            if draws { tellPrompt(results) }
        }
        guard draws else { return nil }
        guard request.maxTokens > 0, request.reading != .meanState else { return .length }
        return draw(results.row(results.rows - 1), visits: visits, at: now)
    }

    /// Keeps what a part of the prompt says.
    private mutating func read(_ results: Matrix, from first: Int) {
        if let top = request.promptLogprobs, request.reading != .meanState {
            scorePrompt(results, from: first, top: top)
        }
        guard request.reading == .meanState else { return }
        if stateSum.isEmpty { stateSum = Array(repeating: 0, count: results.columns) }
        for row in 0..<results.rows {
            for (index, value) in results.row(row).enumerated() { stateSum[index] += value }
        }
    }

    /// Tells what was asked for about the prompt, which has been read.
    private mutating func tellPrompt(_ results: Matrix) {
        if request.promptLogprobs != nil {
            events.yield(.prompt(promptScores))
            promptScores = []
        }
        switch request.reading {
        case .nothing: break
        case .distribution:
            let logits = Array(results.row(results.rows - 1))
            let sum = logSumOfExponentials(logits)
            events.yield(.distribution(logits.map { $0 - sum }))
        case .meanState:
            let count = Float(request.prompt.count)
            events.yield(.meanState(stateSum.map { $0 / count }))
        }
    }

    /// The end's record.
    mutating func end(_ reason: CompletionEnd.Reason, at now: Duration) -> CompletionEnd {
        let rest = matcher.isStopped ? "" : matcher.append(decoder.finish()) + matcher.finish()
        return CompletionEnd(
            reason: reason, text: rest, promptTokens: request.prompt.count,
            reusedTokens: reusedTokens, answerTokens: answerTokens, cost: cost,
            firstTokenSeconds: firstToken.map { ($0 - submitted).seconds },
            secondsAfterFirstToken: firstToken.map { (now - $0).seconds } ?? 0,
            queueSeconds: ((started ?? now) - submitted).seconds)
    }

    private mutating func draw(
        _ logits: ArraySlice<Float>, visits: [[ExpertVisit]], at now: Duration
    ) -> CompletionEnd.Reason? {
        var constraint = self.constraint
        let allowed = constraint?.allowed(ends: request.endTokens)
        let id = sampler.next(
            logits: logits, after: text, answerStart: request.prompt.count, allowed: allowed)
        if firstToken == nil { firstToken = now }
        lastDraw = now
        if request.endTokens.contains(id) { return .stop }
        let follows = constraint?.advance(id) ?? true
        precondition(follows, "a constraint takes the tokens that it allows")
        let isWhole = constraint?.isFinished() ?? false
        self.constraint = constraint
        text.append(id)
        let score = request.topLogprobs.map { TokenScore(id, logits: logits, top: $0) }
        let shown = matcher.append(decoder.append(id))
        events.yield(
            .token(
                CompletionToken(
                    score: score ?? TokenScore(id: id, logprob: nil, top: []), text: shown,
                    visits: visits)))
        if matcher.isStopped || isWhole { return .stop }
        return answerTokens == request.maxTokens ? .length : nil
    }

    /// The scores of the prompt's tokens that a step's rows predict, and of its first one.
    private mutating func scorePrompt(_ logits: Matrix, from first: Int, top: Int) {
        if promptScores.isEmpty {
            promptScores = text[...first].map { TokenScore(id: $0, logprob: nil, top: []) }
        }
        for row in 0..<logits.rows where first + row + 1 < text.count {
            promptScores.append(
                TokenScore(text[first + row + 1], logits: logits.row(row), top: top))
        }
    }
}

extension TokenScore {
    /// - Complexity: O(vocabulary · log top).
    init(_ id: Int, logits: ArraySlice<Float>, top: Int) {
        let values = Array(logits)
        let log = logSumOfExponentials(values)
        var best: [Alternative] = []
        for (candidate, value) in values.enumerated() where top > 0 {
            if best.count == top, value <= best[best.count - 1].logprob { continue }
            let place = best.firstIndex { $0.logprob < value } ?? best.count
            best.insert(Alternative(id: candidate, logprob: value), at: place)
            if best.count > top { best.removeLast() }
        }
        self.init(
            id: id, logprob: values[id] - log,
            top: best.map { Alternative(id: $0.id, logprob: $0.logprob - log) })
    }
}

/// `log Σ exp(value)`, without overflow; at least one value.
private func logSumOfExponentials(_ values: [Float]) -> Float {
    let largest = values.max() ?? 0
    return largest + Float(log(values.reduce(0.0) { $0 + exp(Double($1 - largest)) }))
}
