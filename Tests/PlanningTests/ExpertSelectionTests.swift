import SystemModel
import Testing

@testable import Planning

/// Hand-made cases of every policy.
struct ExpertSelectionTests {
    static func problem(
        _ weights: [[Double]], seconds: [Double], message: Double = 0, holders: [[Int]]? = nil
    ) -> SelectionProblem {
        SelectionProblem(
            perToken: 2, weights: weights,
            devices: seconds.map {
                DeviceLatency(message: Seconds(message), token: Seconds($0))
            }, holders: holders)
    }

    /// Tokens in the four directions that Algorithm 1 tells apart: the latencies are (1, 2, 3).
    /// Cosines: 0.6 · 1 + 0.3 · 2 + 0.1 · 3 = 1.5 over √0.46 √14 = 0.5911; reversed 0.9851.
    let cosines = problem([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]], seconds: [1, 2, 3])

    @Test func cosineIsOfTheFullVectors() {
        let first = CosineThreshold.cosine(cosines.weights[0], [1, 2, 3])
        let second = CosineThreshold.cosine(cosines.weights[1], [1, 2, 3])
        #expect(abs(first - 0.591082) < 1e-6)
        #expect(abs(second - 0.985138) < 1e-6)
    }

    /// WLR0 = mean of (0.6/1 + 0.3/2)/2 = 0.375 and (0.6/3 + 0.3/2)/2 = 0.175: 0.275.
    @Test func ratioIsTheMeanOverTokensAndExperts() {
        let start = SelectionPolicy.topk.select(cosines, SelectionParameters())
        #expect(abs(cosines.weightLatencyRatio(start) - 0.275) < 1e-12)
    }

    /// θ = 0.5 drops nothing (0.591 > 0.5), so the ratio is 1; θ = 0.6 drops the first token's
    /// second expert: WLR = (0.6 + 0.175)/2 = 0.3875, 1.41 times; the algorithm stops there.
    @Test func algorithm1RaisesTheThresholdUntilTheRatioGrows() {
        let kept = SelectionPolicy.wdmoe.select(cosines, SelectionParameters()).kept
        #expect(kept == [[0], [2, 1]])
    }

    /// A gain of 1.41 is not more than 1.5, so θ goes on to 1 and both tokens drop.
    @Test func algorithm1GoesOnToTheLastThreshold() {
        var parameters = SelectionParameters()
        parameters.gamma = 1.5
        #expect(SelectionPolicy.wdmoe.select(cosines, parameters).kept == [[0], [2]])
    }

    @Test func algorithm1StopsAtItsLastThreshold() {
        var parameters = SelectionParameters()
        parameters.gamma = 100
        parameters.thetaMax = 0.55
        #expect(SelectionPolicy.wdmoe.select(cosines, parameters).kept == [[0, 1], [2, 1]])
    }

    /// A single expert is never dropped, and each trial starts from the top K again.
    @Test func algorithm1DropsAtMostOneExpertPerToken() {
        let problem = SelectionProblem(
            perToken: 3, weights: [[0.5, 0.3, 0.2, 0]],
            devices: [1, 2, 3, 4].map { DeviceLatency(message: .zero, token: Seconds($0)) })
        var parameters = SelectionParameters()
        parameters.gamma = 100
        #expect(SelectionPolicy.wdmoe.select(problem, parameters).kept == [[0, 1]])
    }

    /// Devices 0 and 1 take 4 and 2 s. Device 0 loses visits while it is slower than device 1:
    /// the lightest first, never one of 0.4 or more, never a token's best.
    @Test func testbedRelievesTheSlowestDevice() {
        let problem = Self.problem(
            [[0.7, 0.3], [0.35, 0.65], [0.2, 0.8], [0.45, 0.55]], seconds: [1, 0.5])
        var parameters = SelectionParameters()
        parameters.maxWeight = 0.4
        let selection = SelectionPolicy.testbed.select(problem, parameters)
        #expect(selection.kept == [[0, 1], [1], [1], [1, 0]])
        #expect(problem.seconds(selection) == 2)
    }

    @Test func baselinesDoAsTheyAreNamed() {
        let problem = Self.problem([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4]], seconds: [3, 2, 1])
        var parameters = SelectionParameters()
        parameters.threshold = 0.5
        #expect(SelectionPolicy.topk.select(problem, parameters).kept == [[0, 2], [1, 2]])
        #expect(SelectionPolicy.top1.select(problem, parameters).kept == [[0], [1]])
        #expect(SelectionPolicy.bestChannel.select(problem, parameters).kept == [[2], [2]])
        #expect(SelectionPolicy.lowShare.select(problem, parameters).kept == [[0], [1, 2]])
        parameters.threshold = 1
        #expect(SelectionPolicy.random.select(problem, parameters).kept == [[0], [1]])
        parameters.threshold = 0
        #expect(SelectionPolicy.random.select(problem, parameters).kept == [[0, 2], [1, 2]])
    }

    @Test func randomDropsFollowTheirSeed() {
        let problem = Self.problem(
            Array(repeating: [0.6, 0.4], count: 1000), seconds: [1, 1])
        var parameters = SelectionParameters()
        parameters.threshold = 0.25
        parameters.seed = 7
        let first = SelectionPolicy.random.select(problem, parameters)
        #expect(first == SelectionPolicy.random.select(problem, parameters))
        let dropped = first.kept.count { $0.count == 1 }
        #expect((200...300).contains(dropped), "seed 7: \(dropped)")
    }

    /// Per second of airtime the third token's visit to device 0 is worth least.
    @Test func pricedDropsWhatIsWorthLeastPerSecond() {
        let problem = Self.problem(
            [[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]], seconds: [1, 0.2])
        var parameters = SelectionParameters()
        parameters.epsilon = 0.11
        let selection = SelectionPolicy.priced.select(problem, parameters)
        #expect(selection.kept == [[0, 1], [0, 1], [1]])
        #expect(abs(problem.droppedMass(selection) - 0.1) < 1e-12)
    }

    @Test func weightsAreRenormalised() {
        let problem = Self.problem([[0.6, 0.1, 0.3]], seconds: [1, 1, 1])
        let both = SelectionPolicy.topk.select(problem, SelectionParameters())
        let weights = problem.renormalised(both)[0]
        #expect(abs(weights[0] - 2.0 / 3) < 1e-12 && abs(weights[1] - 1.0 / 3) < 1e-12)
        let one = SelectionPolicy.top1.select(problem, SelectionParameters())
        #expect(problem.renormalised(one) == [[1]])
    }

    /// Four tokens on one device that takes 1 s, a copy of the expert on one that takes 3 s: three
    /// and one finish in 3 s, and nothing is dropped.
    @Test(arguments: [SelectionPolicy.deadline, .priced])
    func replicasComeBeforeDrops(policy: SelectionPolicy) {
        let problem = SelectionProblem(
            perToken: 1, weights: Array(repeating: [1], count: 4),
            devices: [
                DeviceLatency(message: .zero, token: Seconds(1)),
                DeviceLatency(message: .zero, token: Seconds(3)),
            ], holders: [[0, 1]])
        let selection = policy.select(problem, SelectionParameters())
        #expect(problem.seconds(selection) == 3)
        #expect(problem.droppedMass(selection) == 0)
        #expect(selection.tokens(devices: 2) == [3, 1])
    }
}
