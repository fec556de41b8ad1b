import Foundation
import SystemModel
package import Tokenizers

/// How the next token is drawn from its logits.
package struct SamplingOptions: Sendable, Equatable {
    /// Divides the logits; 0 takes the largest and ignores everything but the penalty.
    package var temperature: Double = 0
    /// Keeps the K most likely tokens; 0 keeps all.
    package var topK = 0
    /// Keeps the fewest most likely tokens whose probabilities reach P; 1 keeps all.
    package var topP = 1.0
    /// Keeps tokens of at least this share of the most likely one's probability; 0 keeps all.
    package var minP = 0.0
    /// Divides positive and multiplies negative logits of tokens already in the text (Keskar et
    /// al. 2019); 1 changes nothing.
    package var repetitionPenalty = 1.0
    /// Taken from the logits of tokens that the answer contains (OpenAI's `presence_penalty`).
    package var presencePenalty = 0.0
    /// Taken from the logits of the answer's tokens, as often as each is in it.
    package var frequencyPenalty = 0.0
    /// Added to the logits of these ids before anything else; ids beyond the vocabulary count for
    /// nothing.
    package var logitBias: [Int: Double] = [:]
    /// Seed of the draws.
    package var seed: UInt64 = 0

    package init() {}

    /// Names the first option outside its range, or nil.
    package var complaint: String? {
        if !(temperature >= 0 && temperature.isFinite) { return "temperature must be 0 or more" }
        if topK < 0 { return "top-k must be 0 or more" }
        if !(topP > 0 && topP <= 1) { return "top-p must be above 0 and at most 1" }
        if !(minP >= 0 && minP <= 1) { return "min-p must be from 0 to 1" }
        if !(repetitionPenalty > 0 && repetitionPenalty.isFinite) {
            return "repetition penalty must be above 0"
        }
        if !presencePenalty.isFinite { return "presence penalty must be a number" }
        if !frequencyPenalty.isFinite { return "frequency penalty must be a number" }
        if !logitBias.values.allSatisfy(\.isFinite) { return "logit bias must be of numbers" }
        return nil
    }
}

/// Draws tokens: bias, penalties, what is allowed, temperature, top-k, top-p, min-p, in that order.
package struct Sampler: Sendable {
    package let options: SamplingOptions
    private var generator: SeededGenerator

    package init(_ options: SamplingOptions) {
        self.options = options
        generator = SeededGenerator(seed: options.seed)
    }

    /// The next token.
    ///
    /// - Parameters:
    ///   - logits: `[vocabulary]`.
    ///   - text: the ids so far, for the penalties.
    ///   - answerStart: where in it the answer begins; presence and frequency penalty look at that.
    ///   - allowed: the ids from which to choose, at least one; nil for all.
    /// - Complexity: O(vocabulary); O(vocabulary · log vocabulary) with top-k or top-p.
    package mutating func next(
        logits: ArraySlice<Float>, after text: [Int], answerStart: Int, allowed: TokenSet? = nil
    ) -> Int {
        var scores = Array(logits)
        for (id, bias) in options.logitBias where scores.indices.contains(id) {
            scores[id] += Float(bias)
        }
        penalize(&scores, text)
        penalizeAnswer(&scores, text[answerStart...])
        allowed?.keep(in: &scores)
        let best = greatest(scores)
        // Where the model's logits are no numbers, what is allowed still holds.
        guard scores[best] > -.infinity else { return allowed?.first ?? best }
        guard options.temperature > 0 else { return best }
        guard options.topK > 0 || options.topP < 1 else { return draw(likelyEnough(scores)) }
        return draw(truncate(ranked(scores)))
    }

    /// A token and its probability, not normalised after truncation.
    private typealias Candidate = (id: Int, probability: Double)

    private func penalize(_ scores: inout [Float], _ text: [Int]) {
        guard options.repetitionPenalty != 1 else { return }
        let penalty = Float(options.repetitionPenalty)
        for id in Set(text) {
            scores[id] = scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty
        }
    }

    private func penalizeAnswer(_ scores: inout [Float], _ answer: ArraySlice<Int>) {
        guard options.presencePenalty != 0 || options.frequencyPenalty != 0 else { return }
        var counts: [Int: Int] = [:]
        for id in answer { counts[id, default: 0] += 1 }
        for (id, count) in counts {
            scores[id] -= Float(
                options.presencePenalty + Double(count) * options.frequencyPenalty)
        }
    }

    /// Tokens that min-p keeps, by id: where nothing else is cut, nothing needs sorting.
    private func likelyEnough(_ scores: [Float]) -> [Candidate] {
        let top = Double(scores[greatest(scores)])
        return scores.enumerated().lazy
            .filter { $1 > -.infinity }
            .map { ($0, exp((Double($1) - top) / options.temperature)) }
            .filter { $0.1 >= options.minP }
    }

    /// All tokens, the most likely first; of equal ones the lower id first.
    private func ranked(_ scores: [Float]) -> [Candidate] {
        let order = scores.indices.filter { scores[$0] > -.infinity }.sorted {
            (scores[$0], $1) > (scores[$1], $0)
        }
        let top = Double(scores[order[0]])
        let weights = order.map { exp((Double(scores[$0]) - top) / options.temperature) }
        let sum = weights.reduce(0, +)
        return zip(order, weights).map { ($0, $1 / sum) }
    }

    private func truncate(_ ranked: [Candidate]) -> [Candidate] {
        var kept = options.topK > 0 ? Array(ranked.prefix(options.topK)) : ranked
        if options.topP < 1 {
            let total = kept.reduce(0) { $0 + $1.probability }
            var sum = 0.0
            let last = kept.firstIndex {
                sum += $0.probability
                return sum >= options.topP * total
            }
            kept = Array(kept[...(last ?? kept.count - 1)])
        }
        let least = options.minP * kept[0].probability
        return kept.filter { $0.probability >= least }
    }

    private mutating func draw(_ candidates: [Candidate]) -> Int {
        let total = candidates.reduce(0) { $0 + $1.probability }
        var left = generator.uniform() * total
        for candidate in candidates {
            left -= candidate.probability
            if left < 0 { return candidate.id }
        }
        return candidates[candidates.count - 1].id
    }
}

/// The position of the greatest score; of equal ones the first.
package func greatest(_ scores: some RandomAccessCollection<Float>) -> Int {
    var best = 0
    var bestScore = -Float.infinity
    for (position, score) in scores.enumerated() where score > bestScore {
        (best, bestScore) = (position, score)
    }
    return best
}
