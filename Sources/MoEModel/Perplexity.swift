import Foundation
package import Tensors

/// How well a model predicts a text: sums over scored positions.
package struct Perplexity: Sendable {
    /// Positions scored so far.
    package private(set) var tokens = 0
    /// Sum of the negative log-likelihoods, in nats.
    private var negativeLogLikelihood = 0.0
    private var right = 0

    package init() {}

    /// Mean negative log-likelihood per scored position, in nats.
    package var mean: Double { negativeLogLikelihood / Double(tokens) }
    /// `exp(mean)`.
    package var perplexity: Double { exp(mean) }
    /// Share of scored positions whose most likely token was the next one.
    package var accuracy: Double { Double(right) / Double(tokens) }

    /// Scores positions `from...` of one window.
    ///
    /// - Parameters:
    ///   - ids: `[window]`.
    ///   - logits: `[window × vocabulary]`; row `p - 1` predicts position `p`.
    ///   - from: the first scored position, at least 1.
    package mutating func score(ids: [Int], logits: Matrix, from: Int) {
        precondition(from >= 1, "position 0 has no prediction")
        for position in from..<max(from, ids.count) {
            let row = logits.row(position - 1)
            let top = Double(row.max() ?? 0)
            let sum = row.reduce(0.0) { $0 + exp(Double($1) - top) }
            negativeLogLikelihood += top + log(sum) - Double(logits[position - 1, ids[position]])
            right += greatest(row) == ids[position] ? 1 : 0
            tokens += 1
        }
    }
}
