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
        private let division: StepDivision
        private var underWay = 0
        private(set) var mostUnderWay = 0

        init(_ experts: LocalExperts, _ division: StepDivision) {
            self.experts = experts
            self.division = division
        }

        var isIdle: Bool { underWay == 0 }

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

        func parts(rows: Int) -> StepDivision { division }

        func takeCosts() -> CostRecord { experts.takeCosts() }
    }

    /// Always asks for predictions, and needs none.
    private final class IdleFetcher: ExpertFetching {
        let isDue = true

        func fetch(_ ids: [ExpertID], rows: Int) {}
    }

    /// Every architecture, with experts wrapped as an engine does; sequences of several lengths,
    /// some of them divided, then token by token.
    @Test(arguments: ParityTests.models)
    func partsChangeNoBit(_ name: String) throws {
        let run = try LocalRun(ModelFormat.gguf.path(name), try ExpectedModel(name))
        let ids = run.expected.input_ids
        let texts = [Array(ids[0..<17]), Array(ids[5..<6]), Array(ids.reversed())]
        func results(_ division: StepDivision) throws -> (logits: [Matrix], LateExperts) {
            let pool = KeyValuePool(run.model.transformer)
            let experts = LateExperts(LocalExperts(layers: run.model.experts), division)
            let ahead = PrefetchingExperts(
                experts, transformer: run.model.transformer, selector: run.selector,
                fetcher: IdleFetcher())
            var steps = texts.map { SequenceStep(ids: $0, cache: pool.makeCache(), rows: .all) }
            var logits = try run.model.transformer.forward(
                &steps, selector: run.selector, experts: ahead)
            for id in ids.prefix(5) {
                steps = steps.map { SequenceStep(ids: [id], cache: $0.cache, rows: .last) }
                logits += try run.model.transformer.forward(
                    &steps, selector: run.selector, experts: ahead)
            }
            #expect(experts.isIdle, "all that was begun was waited for")
            return (logits, experts)
        }
        let (whole, _) = try results(.whole)
        for parts in [2, 3, 5] {
            for firstLayer in [0, 1, 99] {
                let division = StepDivision(parts: parts, firstLayer: firstLayer)
                let (logits, experts) = try results(division)
                let isSame = logits == whole
                #expect(isSame, "\(division)")
                guard run.model.configuration.experts != nil else { continue }
                let isDivided = firstLayer < run.model.configuration.layers
                #expect(experts.mostUnderWay == (isDivided ? parts : 1))
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
