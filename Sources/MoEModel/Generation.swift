package import SystemModel
import Tensors

/// One answer in the making: a prompt read in, then token after token.
///
/// Runs on the inference thread; each `next()` is one step of the model.
package struct Generation {
    /// A new token and what its step cost.
    package struct Token: Sendable {
        package let id: Int
        /// The first token's record is the whole prompt's.
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
    /// Tokens not yet read by the model.
    private var pending: [Int]
    /// Prompt and answer so far.
    private var text: [Int]

    /// - Parameters:
    ///   - prompt: at least one id, each below the vocabulary's size.
    ///   - cache: an empty one; nil for one without limit.
    package init(
        transformer: Transformer, selector: any ExpertSelector, experts: any ExpertExecutor,
        clock: any MonotonicClock, sampling: SamplingOptions, prompt: [Int],
        cache: KeyValueCache? = nil
    ) {
        precondition(!prompt.isEmpty, "a generation needs a prompt")
        self.transformer = transformer
        self.selector = selector
        self.experts = experts
        self.clock = clock
        sampler = Sampler(sampling)
        self.cache = cache ?? KeyValuePool(transformer).makeCache()
        pending = prompt
        text = prompt
    }

    /// Reads what is pending and draws the next token.
    ///
    /// - Throws: what the experts throw; the generation is then over.
    package mutating func next() throws -> Token {
        var cost = CostRecord()
        var logits = Matrix(rows: 0, columns: 0)
        while !pending.isEmpty {
            let step = Array(pending.prefix(Self.prefillRows))
            pending.removeFirst(step.count)
            let start = clock.now
            logits = try transformer.forward(
                step, cache: &cache, rows: .last, selector: selector, experts: experts)
            var spent = experts.takeCosts()
            spent.tokens = step.count
            spent.totalSeconds = (clock.now - start).seconds
            cost.add(spent)
        }
        let id = sampler.next(logits: logits.row(logits.rows - 1), after: text)
        pending = [id]
        text.append(id)
        return Token(id: id, cost: cost)
    }
}
