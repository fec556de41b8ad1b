import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// A step in parts gives the bits that it gives in one.
struct StepPartTests {
    /// Experts here, as if they were elsewhere: what is begun is ready in a random order, and is
    /// computed when it is waited for.
    private final class LateExperts: ExpertExecutor {
        private let experts: LocalExperts
        private let division: StepDivision
        private var generator = SeededGenerator(seed: 5)
        private var underWay: [Int] = []
        private(set) var mostUnderWay = 0
        /// What was taken before something that was begun earlier.
        private(set) var overtakings = 0

        init(_ experts: LocalExperts, _ division: StepDivision) {
            self.experts = experts
            self.division = division
        }

        var isIdle: Bool { underWay.isEmpty }

        func mixture(layer: Int, inputs: Matrix, routing: Routing) -> Matrix {
            experts.mixture(layer: layer, inputs: inputs, routing: routing)
        }

        func begin(layer: Int, inputs: Matrix, routing: Routing) -> MixtureUnderWay {
            let number = (underWay.max() ?? 0) + 1
            underWay.append(number)
            mostUnderWay = max(mostUnderWay, underWay.count)
            return MixtureUnderWay(
                work: { [self] in Bool.random(using: &generator) },
                finish: { [self] in
                    if underWay.first != number { overtakings += 1 }
                    underWay.removeAll { $0 == number }
                    return mixture(layer: layer, inputs: inputs, routing: routing)
                })
        }

        func parts(rows: Int) -> StepDivision { division }

        func takeCosts() -> CostRecord { experts.takeCosts() }
    }

    /// Every architecture; sequences of several lengths, some of them divided, then token by token.
    @Test(arguments: ParityTests.models)
    func partsChangeNoBit(_ name: String) throws {
        let run = try LocalRun(ModelFormat.gguf.path(name), try ExpectedModel(name))
        let ids = run.expected.input_ids
        let texts = [Array(ids[0..<17]), Array(ids[5..<6]), Array(ids.reversed())]
        func results(_ division: StepDivision) throws -> (logits: [Matrix], LateExperts) {
            let pool = KeyValuePool(run.model.transformer)
            let experts = LateExperts(LocalExperts(layers: run.model.experts), division)
            var steps = texts.map { SequenceStep(ids: $0, cache: pool.makeCache(), rows: .all) }
            var logits = try run.model.transformer.forward(
                &steps, selector: run.selector, experts: experts)
            for id in ids.prefix(5) {
                steps = steps.map { SequenceStep(ids: [id], cache: $0.cache, rows: .last) }
                logits += try run.model.transformer.forward(
                    &steps, selector: run.selector, experts: experts)
            }
            #expect(experts.isIdle, "all that was begun was waited for")
            return (logits, experts)
        }
        let (whole, _) = try results(.whole)
        var overtakings = 0
        for parts in [2, 3, 5] {
            for (firstLayer, anyOrder) in [(0, false), (0, true), (1, true), (99, true)] {
                let division = StepDivision(
                    parts: parts, firstLayer: firstLayer, anyOrder: anyOrder)
                let (logits, experts) = try results(division)
                let isSame = logits == whole
                #expect(isSame, "\(division)")
                guard run.model.configuration.experts != nil else { continue }
                let isDivided = firstLayer < run.model.configuration.layers
                #expect(experts.mostUnderWay == (isDivided ? parts : 1))
                if anyOrder && isDivided {
                    overtakings += experts.overtakings
                } else {
                    #expect(experts.overtakings == 0)
                }
            }
        }
        #expect((overtakings > 0) == (run.model.configuration.experts != nil))
    }

    @Test func rangesAreEqualAndInOrder() {
        #expect(StepPart.ranges([8], count: 2, divides: true) == [0..<4, 4..<8])
        #expect(StepPart.ranges([1, 1, 1], count: 2, divides: true) == [0..<1, 1..<3])
        #expect(StepPart.ranges([1], count: 2, divides: true) == [0..<1])
        #expect(StepPart.ranges([2, 5, 1], count: 2, divides: false) == [0..<7, 7..<8])
        #expect(StepPart.ranges([8], count: 3, divides: false) == [0..<8])
        #expect(StepPart.ranges([3, 4], count: 0, divides: true) == [0..<7])
    }

    @Test func rangesEndWithSequencesOrWithinThem() {
        #expect(StepPart.areWholeSequences([0..<2, 2..<4], [1, 1, 1, 1]))
        #expect(StepPart.areWholeSequences([0..<7, 7..<8], [2, 5, 1]))
        #expect(!StepPart.areWholeSequences([0..<4, 4..<8], [2, 5, 1]))
    }
}
