import SystemModel
import Testing

@testable import Planning

struct ExpertPredictionTests {
    private func profile(_ transitions: [[Int]], experts: Int) -> CalibrationProfile {
        CalibrationProfile(
            tokens: 1,
            layers: transitions.map {
                CalibrationProfile.Layer(
                    experts: Array(
                        repeating: .init(
                            visits: 1, meanWeight: 1, meanOutputNorm: 1, meanOutput: []),
                        count: experts),
                    coactivation: [], products: [], transitions: $0, lossPerSquare: 0)
            })
    }

    @Test func whatFollowedMostComesFirst() {
        let predictor = TransitionPredictor(
            profile([[1, 2, 7, 0, 10, 0, 0, 0, 0], Array(repeating: 0, count: 9)], experts: 3))
        #expect(predictor.ranking(after: 0, visited: [(0, 1)]) == [2, 1, 0])
        #expect(predictor.ranking(after: 0, visited: [(1, 1)]) == [1, 0, 2])
        // 0.7 · 0.5 for expert 2 against 0.2 · 0.5 + 1 · 0.5 for expert 1.
        #expect(predictor.ranking(after: 0, visited: [(0, 0.5), (1, 0.5)]) == [1, 2, 0])
        #expect(predictor.ranking(after: 0, visited: [(0, 0.9), (1, 0.1)]) == [2, 1, 0])
        #expect(predictor.ranking(after: 0, visited: [(2, 1)]) == [0, 1, 2], "never seen")
        #expect(predictor.ranking(after: 1, visited: [(0, 1)]) == nil, "the last layer")
    }

    /// On a random chain whose transitions are known, the ranking is the order of the true shares.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func itIsTheOrderOfExpectedVisits(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let counts = (0..<64).map { _ in Int(generator.next() % 1_000) }
        let predictor = TransitionPredictor(
            profile([counts, Array(repeating: 0, count: 64)], experts: 8))
        for expert in 0..<8 {
            let row = Array(counts[expert * 8..<expert * 8 + 8])
            let expected = row.indices.sorted { (-row[$0], $0) < (-row[$1], $1) }
            #expect(
                predictor.ranking(after: 0, visited: [(expert, 1)]) == expected, "seed \(seed)")
        }
    }

    @Test func recallCountsWhatWasNamed() {
        var recall = PredictionRecall(layers: 2, depth: 3)
        recall.add(layer: 1, ranking: [4, 5, 6, 7], visited: [5, 7])
        recall.add(layer: 1, ranking: [1, 2, 3], visited: [1, 2])
        #expect(recall.recall(layer: 0, at: 1) == nil)
        #expect((1...3).map { recall.recall(layer: 1, at: $0) } == [0.25, 0.75, 0.75])
        #expect(recall.recall(at: 3) == 0.75)
    }
}
