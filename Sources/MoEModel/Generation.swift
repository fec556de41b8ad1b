package import SystemModel
import Tensors

/// One answer in the making: a prompt read in, then token after token.
///
/// Runs on the inference thread. A step of the model reads what is pending and, where drafts are
/// asked for, tokens that the text itself suggests (`PromptLookup`): each is kept if it is what the
/// sampler draws from the logits before it, so drafts change the speed of an answer and never its
/// tokens.
package struct Generation {
    /// A new token and what its step cost.
    package struct Token: Sendable {
        package let id: Int
        /// The first token's record is the whole prompt's; of several tokens of one step the first
        /// has the step's.
        package let cost: CostRecord
    }

    /// Most rows of one step when reading the prompt: bounds memory and the frames to devices.
    package static let prefillRows = 512

    private let transformer: Transformer
    private let selector: any ExpertSelector
    private let experts: any ExpertExecutor
    private let clock: any MonotonicClock
    private var sampler: Sampler
    private var cache: KeyValueCache
    private var lookup: PromptLookup
    /// Tokens not yet read by the model.
    private var pending: [Int]
    /// Prompt and answer so far.
    private var text: [Int]
    /// Tokens of the prompt.
    private let promptCount: Int
    /// Tokens drawn but not yet handed out, the next one last.
    private var drawn: [Token] = []

    /// - Parameters:
    ///   - prompt: at least one id, each below the vocabulary's size.
    ///   - cache: an empty one; nil for one without limit.
    ///   - longestDraft: most tokens of a draft; 0 for none.
    package init(
        transformer: Transformer, selector: any ExpertSelector, experts: any ExpertExecutor,
        clock: any MonotonicClock, sampling: SamplingOptions, prompt: [Int],
        cache: KeyValueCache? = nil, longestDraft: Int = 0
    ) {
        precondition(!prompt.isEmpty, "a generation needs a prompt")
        self.transformer = transformer
        self.selector = selector
        self.experts = experts
        self.clock = clock
        sampler = Sampler(sampling)
        self.cache = cache ?? KeyValuePool(transformer).makeCache()
        lookup = PromptLookup(longest: transformer.stepsMayBeSplit ? longestDraft : 0)
        pending = prompt
        text = prompt
        promptCount = prompt.count
    }

    /// The next token; reads what is pending unless one is already drawn.
    ///
    /// - Throws: what the experts throw, or `KeyValueCacheError`; the generation is then over.
    package mutating func next() throws -> Token {
        if let token = drawn.popLast() { return token }
        var cost = CostRecord()
        while pending.count > Self.prefillRows, transformer.stepsMayBeSplit {
            let (_, spent) = try read(Array(pending.prefix(Self.prefillRows)), rows: .none)
            cost.append(spent)
            pending.removeFirst(Self.prefillRows)
        }
        let room = transformer.configuration.contextLength - cache.positions - pending.count
        let draft = pending.count == 1 ? lookup.draft(text, room: room) : []
        var (logits, spent) = try read(pending, draft: draft)
        let tokens = draw(logits, draft: logits.rows > 1 ? draft : [])
        if logits.rows > 1 { spent.append(record(draft, tokens)) }
        cost.append(spent)
        drawn = tokens.reversed().enumerated().map { index, id in
            Token(id: id, cost: index == tokens.count - 1 ? cost : CostRecord())
        }
        pending = [tokens[tokens.count - 1]]
        return drawn.removeLast()
    }

    /// The logits after `ids` and, where the cache has room for them, after each of `draft`.
    private mutating func read(
        _ ids: [Int], draft: [Int]
    ) throws -> (logits: Matrix, spent: CostRecord) {
        guard !draft.isEmpty else { return try read(ids, rows: .last) }
        do {
            return try read(ids + draft, rows: .all)
        } catch is KeyValueCacheError {
            return try read(ids, rows: .last)
        }
    }

    private mutating func read(
        _ ids: [Int], rows: SequenceStep.Rows
    ) throws -> (logits: Matrix, spent: CostRecord) {
        let start = clock.now
        let logits = try transformer.forward(
            ids, cache: &cache, rows: rows, selector: selector, experts: experts)
        var spent = experts.takeCosts()
        spent.steps = 1
        spent.tokens = ids.count
        spent.totalSeconds = (clock.now - start).seconds
        return (logits, spent)
    }

    /// Draws a token after each row until one is not what was drafted; the cache forgets the rest.
    private mutating func draw(_ logits: Matrix, draft: [Int]) -> [Int] {
        var tokens: [Int] = []
        for row in 0..<logits.rows {
            let id = sampler.next(
                logits: logits.row(row), after: text, answerStart: promptCount)
            tokens.append(id)
            text.append(id)
            guard row < draft.count, id == draft[row] else { break }
        }
        cache.truncate(to: cache.positions - (draft.count + 1 - tokens.count))
        return tokens
    }

    /// What became of a draft, as costs beside its step's: its wrong tokens advanced nothing.
    private mutating func record(_ draft: [Int], _ tokens: [Int]) -> CostRecord {
        var cost = CostRecord()
        cost.draftedTokens = draft.count
        cost.acceptedTokens = tokens.count - 1
        cost.tokens = tokens.count - (draft.count + 1)
        lookup.verified(drafted: draft.count, accepted: tokens.count - 1)
        return cost
    }
}

extension Transformer {
    /// Whether reading tokens in one step or in several gives the same: not where angles depend on
    /// the length of the whole step.
    package var stepsMayBeSplit: Bool {
        configuration.rotaries.allSatisfy {
            if case .dynamic = $0.scaling { false } else { true }
        }
    }
}
