import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// A step in parts gives the bits that it gives in one.
struct StepPartTests {
    /// Experts here, as if they were elsewhere: what is begun is computed when it is waited for.
    private final class LateExperts: ExpertExecutor {
        private let experts: LocalExperts
        private let count: Int
        private(set) var underWay = 0
        private(set) var mostUnderWay = 0

        init(_ experts: LocalExperts, parts: Int) {
            self.experts = experts
            count = parts
        }

        func mixture(layer: Int, inputs: Matrix, routing: Routing) -> Matrix {
            experts.mixture(layer: layer, inputs: inputs, routing: routing)
        }

        func begin(layer: Int, inputs: Matrix, routing: Routing) -> MixtureUnderWay {
            underWay += 1
            mostUnderWay = max(mostUnderWay, underWay)
            return MixtureUnderWay { [self] in
                underWay -= 1
                return mixture(layer: layer, inputs: inputs, routing: routing)
            }
        }

        func parts(rows: Int) -> Int { count }

        func takeCosts() -> CostRecord { experts.takeCosts() }
    }

    /// Every architecture; sequences of several lengths, some of them divided, then token by token.
    @Test(arguments: ParityTests.models)
    func partsChangeNoBit(_ name: String) throws {
        let run = try LocalRun(ModelFormat.gguf.path(name), try ExpectedModel(name))
        let ids = run.expected.input_ids
        let texts = [Array(ids[0..<17]), Array(ids[5..<6]), Array(ids.reversed())]
        func results(_ parts: Int) throws -> (logits: [Matrix], underWay: Int) {
            let pool = KeyValuePool(run.model.transformer)
            let experts = LateExperts(LocalExperts(layers: run.model.experts), parts: parts)
            var steps = texts.map { SequenceStep(ids: $0, cache: pool.makeCache(), rows: .all) }
            var logits = try run.model.transformer.forward(
                &steps, selector: run.selector, experts: experts)
            for id in ids.prefix(5) {
                steps = steps.map { SequenceStep(ids: [id], cache: $0.cache, rows: .last) }
                logits += try run.model.transformer.forward(
                    &steps, selector: run.selector, experts: experts)
            }
            #expect(experts.underWay == 0, "all that was begun was waited for")
            return (logits, experts.mostUnderWay)
        }
        let whole = try results(1)
        for parts in [2, 3, 5] {
            let divided = try results(parts)
            let isSame = divided.logits == whole.logits
            #expect(isSame, "\(parts) parts")
            if run.model.configuration.experts != nil {
                #expect(divided.underWay == parts, "parts are out at the same time")
            }
        }
    }

    @Test func rangesAreEqualAndInOrder() {
        #expect(StepPart.ranges([8], count: 2, divides: true) == [0..<4, 4..<8])
        #expect(StepPart.ranges([1, 1, 1], count: 2, divides: true) == [0..<1, 1..<3])
        #expect(StepPart.ranges([1], count: 2, divides: true) == [0..<1])
        #expect(StepPart.ranges([2, 5, 1], count: 2, divides: false) == [0..<7, 7..<8])
        #expect(StepPart.ranges([8], count: 3, divides: false) == [0..<8])
        #expect(StepPart.ranges([3, 4], count: 0, divides: true) == [0..<7])
    }
}
