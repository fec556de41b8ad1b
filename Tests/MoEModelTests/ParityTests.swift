import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// The tiny models give the logits and the greedy continuation that transformers gives, from the
/// Hugging Face folder and from the GGUF file.
struct ParityTests {
    static let models = [
        "llama", "mixtral", "olmoe", "qwen2_moe", "qwen3", "qwen3_moe", "deepseek_v2", "gpt_oss",
    ]

    @Test(arguments: models, ModelFormat.allCases)
    func logitsAreTransformers(_ name: String, _ format: ModelFormat) throws {
        let run = try LocalRun(format.path(name), try ExpectedModel(name))
        let worst = try run.worstError(from: "models/\(name)/expected_logits.f32")
        #expect(worst <= 2e-4, "\(name), \(format): off by \(worst) of the largest logit")
    }

    @Test(arguments: models, ModelFormat.allCases)
    func greedyContinuationIsTransformers(_ name: String, _ format: ModelFormat) throws {
        let run = try LocalRun(format.path(name), try ExpectedModel(name))
        let tokens = try run.generate(
            run.expected.greedy_prompt, count: run.expected.greedy_continuation.count)
        #expect(tokens == run.expected.greedy_continuation)
    }

    /// Reading a prompt at once, in two parts, or token by token changes no bit.
    @Test(arguments: models)
    func stepsDoNotChangeLogits(_ name: String) throws {
        let run = try LocalRun(ModelFormat.gguf.path(name), try ExpectedModel(name))
        let ids = run.expected.input_ids
        let whole = try run.logits(ids)
        for parts in [[1, ids.count - 1], [17, ids.count - 17], ids.map { _ in 1 }] {
            #expect(try run.logits(ids, parts: parts) == whole, "parts \(parts)")
        }
    }

    /// Latent attention keeps one short vector and one rotated key per position, nothing per head.
    @Test func latentCacheIsCompressed() throws {
        let run = try LocalRun(
            ModelFormat.folder.path("deepseek_v2"), try ExpectedModel("deepseek_v2"))
        var cache = KeyValuePool(run.model.transformer).makeCache()
        _ = try run.model.transformer.forward(
            run.expected.input_ids, cache: &cache, rows: .last, selector: run.selector,
            experts: LocalExperts(layers: run.model.experts))
        #expect(cache.positions == 40)
        // One page for three layers, in fp32.
        #expect(cache.byteCount == 4 * 3 * KeyValuePool.pagePositions * (32 + 16))
    }
}

/// The two ways in which a fixture lies on disk.
enum ModelFormat: String, CaseIterable {
    case folder, gguf

    func path(_ model: String) -> String {
        Fixtures.path("models/\(model)" + (self == .gguf ? "/model-f32.gguf" : ""))
    }
}
