package import MoEModel
package import StructuredOutput

/// A text to be continued, and how.
package struct CompletionRequest: Sendable {
    /// What is wanted of the prompt besides an answer.
    package enum Reading: Sendable {
        case nothing
        /// How likely each token of the vocabulary comes next, before any option changes it.
        case distribution
        /// The mean of the prompt's final hidden states.
        case meanState
    }

    /// At least one id, each below the vocabulary's size.
    package var prompt: [Int]
    package var sampling = SamplingOptions()
    /// Most tokens of the answer; 0 only reads the prompt.
    package var maxTokens = 16
    /// The answer ends before the first of these texts, which it then does not contain.
    package var stop: [String] = []
    /// Tokens that end the answer and are not in it.
    package var endTokens: Set<Int> = []
    /// What the answer has to be; it ends as soon as nothing else can follow. Bias and penalties
    /// choose among the tokens that it lets through; stop texts and `maxTokens` still cut it off.
    package var constraint: TokenConstraint?
    /// Special tokens as text: for answers whose channels or calls are to be read from it.
    package var showsSpecialTokens = false
    /// With each token its log-probability and that many likeliest ones beside it; nil: none.
    package var topLogprobs: Int?
    /// As `topLogprobs`, for the prompt's own tokens.
    package var promptLogprobs: Int?
    package var reading = Reading.nothing
    /// Time from submission after which the answer ends with what it has; nil: none.
    package var timeLimit: Duration?

    package init(prompt: [Int]) { self.prompt = prompt }

    /// Whether all of the prompt has to be computed, whatever was read before.
    var readsWholePrompt: Bool { promptLogprobs != nil || reading == .meanState }
}
