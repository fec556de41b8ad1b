import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// How weights come into memory changes no bit of a result.
struct LoadingTests {
    @Test(arguments: ModelFormat.allCases)
    func copiedWeightsAreTheFiles(_ format: ModelFormat) throws {
        let expected = try ExpectedModel("mixtral")
        let mapped = try LocalRun(format.path("mixtral"), expected)
        let copied = try LocalRun(format.path("mixtral"), expected, loading: .hugePages)
        #expect(try copied.logits(expected.input_ids) == mapped.logits(expected.input_ids))
    }

    /// Quantised weights are computed with where they are packed.
    @Test func packedWeightsAreTheFiles() throws {
        func logits(_ loading: WeightLoading) throws -> Matrix {
            let model = try Model(ModelFile.open(Fixtures.demoModel, loading: loading))
            let experts = LocalExperts(layers: model.experts)
            var cache = KeyValuePool(model.transformer).makeCache()
            return try model.transformer.forward(
                Array(1...20), cache: &cache, rows: .all, selector: model.selector,
                experts: experts)
        }
        #expect(try logits(.hugePages) == logits(.mapped))
        #expect(try logits(.dense) == logits(.mapped))
    }

    /// What `dense` copies, and what it leaves in the file, in either format.
    @Test(arguments: ModelFormat.allCases)
    func denseLeavesExpertsInTheFile(_ format: ModelFormat) throws {
        let model = try Model(ModelFile.open(format.path("mixtral"), loading: .dense))
        #expect(model.transformer.matrices.allSatisfy { $0.isCopied })
        let here = model.experts.joined().flatMap(\.matrices)
        #expect(!here.isEmpty && here.allSatisfy { !$0.isCopied })
        let copied = try Model(ModelFile.open(format.path("mixtral"), loading: .hugePages))
        let all = copied.experts.joined().flatMap(\.matrices)
        #expect(all.allSatisfy { $0.isCopied })
    }
}
