import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// Several sequences in one pass give the bits that each gives alone.
struct BatchTests {
    /// Every architecture, sequences of several lengths at once, then all of them token by token.
    @Test(arguments: ParityTests.models)
    func sequencesTogetherAreAsAlone(_ name: String) throws {
        let run = try LocalRun(ModelFormat.gguf.path(name), try ExpectedModel(name))
        let ids = run.expected.input_ids
        let texts = [Array(ids[0..<17]), Array(ids[5..<6]), Array(ids.reversed()), ids + ids]
        let pool = KeyValuePool(run.model.configuration)
        let alone = try texts.map { try run.logits($0 + ids) }
        var steps = texts.map { SequenceStep(ids: $0, cache: pool.makeCache(), rows: .all) }
        var together = try run.forward(&steps).map(\.values)
        for id in ids {
            steps = steps.map { SequenceStep(ids: [id], cache: $0.cache, rows: .last) }
            for (index, logits) in try run.forward(&steps).enumerated() {
                together[index] += logits.values
            }
        }
        for (index, logits) in together.enumerated() {
            let isSame = logits == alone[index].values
            #expect(isSame, "sequence \(index)")
        }
    }

    /// Each sequence gets the rows that it asked for, and hidden states where it asked for those.
    @Test func eachGetsWhatItAskedFor() throws {
        let run = try LocalRun(ModelFormat.gguf.path("mixtral"), try ExpectedModel("mixtral"))
        let ids = Array(run.expected.input_ids.prefix(9))
        let all = try run.logits(ids)
        let pool = KeyValuePool(run.model.configuration)
        func step(_ rows: SequenceStep.Rows, _ result: SequenceStep.Result) -> SequenceStep {
            SequenceStep(ids: ids, cache: pool.makeCache(), rows: rows, result: result)
        }
        var steps = [
            step(.none, .logits), step(.last, .hiddenStates), step(.all, .logits),
            step(.all, .hiddenStates), step(.last, .logits),
        ]
        let results = try run.forward(&steps)
        #expect(results.map(\.rows) == [0, 1, 9, 9, 1])
        #expect(results[2] == all)
        #expect(results[4] == all.gatheringRows([8]))
        #expect(results[1] == results[3].gatheringRows([8]))
        #expect(product(run.model.transformer.head, Activations(results[3])) == all)
    }
}

extension LocalRun {
    func forward(_ steps: inout [SequenceStep]) throws -> [Matrix] {
        try model.transformer.forward(
            &steps, selector: selector, experts: LocalExperts(layers: model.experts))
    }
}
