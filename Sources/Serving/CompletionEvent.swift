package import SystemModel

/// What becomes of a request, in order: what was asked for about the prompt, tokens, the end.
package enum CompletionEvent: Sendable {
    case prompt([TokenScore])
    /// The natural logarithms of the next token's probabilities, `[vocabulary]`.
    case distribution([Float])
    /// The mean of the prompt's final hidden states, `[hidden]`.
    case meanState([Float])
    case token(CompletionToken)
    case end(CompletionEnd)
}

/// A token and how likely it was, by the model's own distribution, before any option changed it.
package struct TokenScore: Sendable, Equatable {
    /// Another token that might have been.
    package struct Alternative: Sendable, Equatable {
        package let id: Int
        package let logprob: Float
    }

    package let id: Int
    /// Nil where nothing predicts it: a text's first token.
    package let logprob: Float?
    /// The likeliest tokens, the likeliest first.
    package let top: [Alternative]
}

/// An expert that computed something for a token, and where.
package struct ExpertVisit: Sendable, Equatable {
    package let expert: Int
    /// The device that computed it; nil for the base station.
    package let device: String?
}

/// A token of an answer.
package struct CompletionToken: Sendable {
    package let score: TokenScore
    /// The text that is certain now: often empty, since characters and stop texts are never cut.
    package let text: String
    /// By layer the experts that the token's row visited, ascending; empty for a dense layer. It is
    /// the row from which the token was drawn, that of the token before it.
    package let visits: [[ExpertVisit]]
}

/// The end of an answer.
package struct CompletionEnd: Sendable {
    /// Why an answer ended.
    package enum Reason: String, Sendable {
        /// An end token or a stop text.
        case stop
        /// As many tokens as asked for, or as the context holds.
        case length
        /// The request's time was over.
        case timeLimit
    }

    package let reason: Reason
    /// What was held back and is part of the answer after all.
    package let text: String
    package let promptTokens: Int
    /// Of these, how many needed no computing because another text began alike.
    package let reusedTokens: Int
    package let answerTokens: Int
    /// The request's share of its steps' costs, by rows.
    package let cost: CostRecord
    /// From submission to the first token, in seconds; nil without one.
    package let firstTokenSeconds: Double?
    /// From the first token to the end, in seconds; 0 without a first one.
    package let secondsAfterFirstToken: Double
    /// From submission to the start of its first step, in seconds.
    package let queueSeconds: Double
}

/// Why a request was not taken.
package enum CompletionRefusal: Error, Equatable, CustomStringConvertible {
    /// As many wait as may; how long one may be expected to wait, in seconds.
    case queueFull(limit: Int, retrySeconds: Int)
    /// Prompt and answer do not fit the KV cache even alone.
    case tooLong(positions: Int, limit: Int)
    /// The engine is stopping.
    case stopping

    package var description: String {
        switch self {
        case .queueFull(let limit, let seconds):
            "\(limit) requests are waiting, which is the limit; try again in \(seconds) s"
        case .tooLong(let positions, let limit):
            "prompt and answer take \(positions) positions, the KV cache holds \(limit); ask for "
                + "fewer tokens or give it more memory"
        case .stopping: "the server is stopping"
        }
    }
}
