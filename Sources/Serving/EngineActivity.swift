package import SystemModel

/// What an engine has done since it started; every count only grows.
package struct EngineActivity: Sendable {
    /// Of all steps together.
    package internal(set) var cost = CostRecord()
    /// Tokens of prompts that were computed.
    package internal(set) var promptTokens = 0
    /// Tokens of prompts that needed no computing because another text began alike.
    package internal(set) var reusedTokens = 0
    /// Tokens drawn that became part of an answer.
    package internal(set) var answerTokens = 0
    /// From submission to a request's first step.
    package internal(set) var queue = DurationHistogram()
    /// From submission to an answer's first token.
    package internal(set) var firstToken = DurationHistogram()
    /// Between two tokens of an answer.
    package internal(set) var laterToken = DurationHistogram()

    /// Nothing was done yet.
    package init() {}

    /// Notes a token drawn at `now` for a request of `submitted`, whose token before was drawn at
    /// `last`.
    mutating func drew(after last: Duration?, of submitted: Duration, at now: Duration) {
        if let last {
            laterToken.add((now - last).seconds)
        } else {
            firstToken.add((now - submitted).seconds)
        }
    }
}
