import Foundation
import Testing

@testable import MoEModel

/// How tokens are drawn from logits.
struct SamplerTests {
    private let logits: [Float] = [1, 3, 2.5, -1, 0]

    private func shares(_ options: SamplingOptions, draws: Int = 20_000) -> [Double] {
        var sampler = Sampler(options)
        var counts = [Double](repeating: 0, count: logits.count)
        for _ in 0..<draws {
            counts[sampler.next(logits: logits[...], after: [], answerStart: 0)] += 1
        }
        return counts.map { $0 / Double(draws) }
    }

    /// Whether the tokens are sorted or not, they are drawn as often as they are likely.
    @Test(arguments: [0, 5])
    func drawsAreAsLikelyAsTheTokens(_ topK: Int) {
        var options = SamplingOptions()
        (options.temperature, options.topK, options.seed) = (0.7, topK, 11)
        let weights = logits.map { exp(Double($0) / 0.7) }
        let sum = weights.reduce(0, +)
        for (share, weight) in zip(shares(options), weights) {
            #expect(abs(share - weight / sum) < 0.015, "seed 11")
        }
    }

    @Test(arguments: [0, 5])
    func minPLeavesTheUnlikelyOut(_ topK: Int) {
        var options = SamplingOptions()
        (options.temperature, options.topK, options.minP) = (1, topK, 0.3)
        #expect(shares(options).enumerated().filter { $1 > 0 }.map(\.offset) == [1, 2])
    }

    /// Presence counts once, frequency every time, and neither counts the prompt.
    @Test func penaltiesCountTheAnswer() {
        func next(_ text: [Int], _ change: (inout SamplingOptions) -> Void) -> Int {
            var options = SamplingOptions()
            change(&options)
            var sampler = Sampler(options)
            return sampler.next(logits: logits[...], after: text, answerStart: 2)
        }
        #expect(next([1, 1]) { $0.presencePenalty = 0.6 } == 1)
        #expect(next([0, 0, 1]) { $0.presencePenalty = 0.6 } == 2)
        #expect(next([0, 0, 1, 1]) { $0.presencePenalty = 0.4 } == 1)
        #expect(next([0, 0, 1]) { $0.frequencyPenalty = 0.4 } == 1)
        #expect(next([0, 0, 1, 1]) { $0.frequencyPenalty = 0.4 } == 2)
        #expect(next([0, 0]) { $0.logitBias = [3: 5, 99: 100] } == 3)
    }
}
