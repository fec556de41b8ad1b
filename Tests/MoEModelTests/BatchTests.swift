import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// Several sequences in one pass give the bits that each gives alone.
struct BatchTests {
    /// Keys and values in smaller numbers: the shipped model's perplexity stays, for a text of its
    /// own, and steps change no bit.
    @Test(arguments: [(KeyValuePrecision.f16, 1e-3), (.q8_0, 1e-2)])
    func smallerCachesAreNear(_ precision: KeyValuePrecision, _ tolerance: Double) throws {
        let model = try Model(ModelFile.open(Fixtures.demoModel))
        var generation = Generation(
            transformer: model.transformer, selector: model.selector,
            experts: LocalExperts(layers: model.experts), clock: ManualClock(),
            sampling: SamplingOptions(), prompt: [1])
        let ids = [1] + (try (0..<99).map { _ in try generation.next().id })
        func logits(_ precision: KeyValuePrecision, _ parts: [Int]) throws -> Matrix {
            let pool = KeyValuePool(model.transformer, precision: precision)
            var cache = pool.makeCache()
            var rest = ids[...]
            let values = try parts.flatMap { part in
                defer { rest = rest.dropFirst(part) }
                return try model.transformer.forward(
                    Array(rest.prefix(part)), cache: &cache, rows: .all,
                    selector: model.selector, experts: LocalExperts(layers: model.experts)
                ).values
            }
            return Matrix(
                rows: 100, columns: model.configuration.vocabulary, values: values)
        }
        func mean(_ logits: Matrix) -> Double {
            var perplexity = Perplexity()
            perplexity.score(ids: ids, logits: logits, from: 1)
            return perplexity.mean
        }
        #expect(model.transformer.keyValuePrecision == .f16)
        let exact = try logits(.f32, [100])
        let small = try logits(precision, [100])
        let isSame = try logits(precision, [1, 63, 7, 29]) == small
        #expect(isSame)
        let change = abs(mean(small) - mean(exact))
        #expect(change > 0 && change < tolerance, "changed by \(change) nats")
    }

    /// Every architecture, sequences of several lengths at once, then all of them token by token.
    @Test(arguments: ParityTests.models)
    func sequencesTogetherAreAsAlone(_ name: String) throws {
        let run = try LocalRun(ModelFormat.gguf.path(name), try ExpectedModel(name))
        let ids = run.expected.input_ids
        let texts = [Array(ids[0..<17]), Array(ids[5..<6]), Array(ids.reversed()), ids + ids]
        let pool = KeyValuePool(run.model.transformer)
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
        let pool = KeyValuePool(run.model.transformer)
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
