import Tensors
import Testing

@testable import ModelFiles

/// Which format a tensor gets.
struct TensorFormatsTests {
    private func tensor(_ name: String, _ dimensions: [Int]) -> ConvertedTensor {
        let columns = dimensions.last ?? 1
        let rows = dimensions.dropLast().reduce(1, *)
        let matrix = QuantizedMatrix(
            Matrix(
                rows: rows, columns: columns, values: Array(repeating: 0, count: rows * columns)))
        return ConvertedTensor(
            name: name, dimensions: dimensions,
            parts: [RowSource(rows: rows, columns: columns, format: .f32) { matrix }])
    }

    private func formats(
        _ formats: TensorFormats, _ tensors: [ConvertedTensor]
    ) throws -> [BlockFormat] {
        try formats.plan(tensors, of: "model").map(\.format)
    }

    @Test func smallTensorsStayFloat() throws {
        let small = [
            tensor("output_norm.weight", [512]), tensor("blk.0.attn_q.bias", [512]),
            tensor("blk.0.ffn_gate_inp.weight", [8, 512]), tensor("blk.0.attn_sinks.weight", [64]),
            tensor("blk.0.ffn_up_exps.bias", [8, 512]), tensor("blk.0.exp_probs_b.bias", [8]),
            tensor("blk.0.ffn_gate_inp_shexp.weight", [1, 512]), tensor("rope_freqs.weight", [64]),
        ]
        #expect(try formats(TensorFormats(type: .q4_K), small).allSatisfy { $0 == .f32 })
    }

    @Test func rolesHaveFormatsOfTheirOwn() throws {
        let wish = TensorFormats(type: .q8_0, experts: .q3_K, attention: .q6_K, embeddings: .q5_K)
        let tensors = [
            tensor("token_embd.weight", [2, 256]), tensor("output.weight", [2, 256]),
            tensor("blk.0.attn_q.weight", [2, 256]),
            tensor("blk.0.attn_kv_a_mqa.weight", [2, 256]),
            tensor("blk.0.ffn_up_exps.weight", [2, 2, 256]),
            tensor("blk.0.ffn_down.3.weight", [2, 256]), tensor("blk.0.ffn_down.weight", [2, 256]),
            tensor("blk.0.ffn_up_shexp.weight", [2, 256]),
        ]
        #expect(
            try formats(wish, tensors) == [
                .q5_K, .q5_K, .q6_K, .q6_K, .q3_K, .q3_K, .q8_0, .q8_0,
            ])
    }

    @Test func headsAreAtLeastQ6() throws {
        let tied = [tensor("token_embd.weight", [2, 256])]
        let untied = tied + [tensor("output.weight", [2, 256])]
        #expect(try formats(TensorFormats(type: .q4_K), tied) == [.q6_K])
        #expect(try formats(TensorFormats(type: .q4_K), untied) == [.q4_K, .q6_K])
        #expect(try formats(TensorFormats(type: .q8_0), untied) == [.q8_0, .q8_0])
    }

    @Test func rowsThatAreNotWholeBlocksGetMore() throws {
        let wanted: [(BlockFormat, BlockFormat)] = [
            (.q2_K, .q4_0), (.q3_K, .q4_0), (.q4_K, .q5_0), (.q5_K, .q5_1), (.q6_K, .q8_0),
            (.q8_0, .q8_0), (.f16, .f16),
        ]
        for (wish, given) in wanted {
            let planned = try TensorFormats(type: wish).plan(
                [tensor("blk.0.ffn_up.weight", [2, 96])], of: "model")
            #expect(planned.map(\.format) == [given])
            let said = TensorFormats.replacements(in: planned, TensorFormats(type: wish))
            #expect(said.count == (wish == given ? 0 : 1))
            #expect(TensorFormats.fitting(wish, columns: 33) == .f16)
        }
    }

    @Test func formatsThatCannotBeWrittenAreRefused() throws {
        let wish = TensorFormats(type: .q8_0, experts: .mxfp4)
        #expect {
            _ = try wish.plan([tensor("blk.0.ffn_up_exps.weight", [2, 2, 256])], of: "model.gguf")
        } throws: {
            "\($0)" == "model.gguf: tensor blk.0.ffn_up_exps.weight would become MXFP4, which can "
                + "be copied but not written; it is F32"
        }
    }
}
