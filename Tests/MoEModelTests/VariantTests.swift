import Foundation
import ModelFiles
import TestSupport
import Testing

@testable import MoEModel

/// Other shapes and settings of the architectures, each a tiny checkpoint with transformers' logits
/// (Tests/Fixtures/make_fixtures.py says which, and how they were made).
struct VariantTests {
    static let names = [
        "deepseek2-groups-yarn", "deepseek3-groups-yarn", "deepseek3-plain", "glm4moe-groups",
        "glm4moe-norm", "gptoss-mxfp4", "gptoss-window", "llama-dynamic", "llama-llama3",
        "llama-odd-tied-linear", "llama-yarn", "mixtral-window-fused", "olmoe-norm-clip",
        "qwen2moe-sparse-window", "qwen3-window", "qwen3moe-dense-first",
    ]

    @Test(arguments: names)
    func logitsAreTransformers(_ name: String) throws {
        let run = try LocalRun(
            Fixtures.path("variants/\(name)"), try ExpectedModel(name, in: "variants"))
        let worst = try run.worstError(from: "variants/\(name)/expected_logits.f32")
        #expect(worst <= 2e-4, "\(name): off by \(worst) of the largest logit")
    }

    /// The same checkpoints in llama.cpp's names and layouts (Tests/Fixtures/make_gguf.py): Llama
    /// 3's divisors as a tensor, one tensor per expert, key and value matrices apart or in one,
    /// MXFP4 experts, weights that are normalised because the file says so.
    @Test(arguments: [
        "llama-llama3", "llama-yarn", "mixtral-window-fused", "olmoe-norm-clip",
        "deepseek2-groups-yarn", "deepseek3-groups-yarn", "glm4moe-norm", "gptoss-mxfp4",
    ])
    func logitsOfGGUFAreTransformers(_ name: String) throws {
        let run = try LocalRun(
            Fixtures.path("variants/\(name)/model.gguf"), try ExpectedModel(name, in: "variants"))
        let worst = try run.worstError(from: "variants/\(name)/expected_logits.f32")
        #expect(worst <= 2e-4, "\(name): off by \(worst) of the largest logit")
    }

    /// Dynamic scaling turns a key by the length that the sequence has when the key is read, so
    /// there alone the steps matter.
    @Test(arguments: names.filter { $0 != "llama-dynamic" })
    func greedyContinuationIsTransformers(_ name: String) throws {
        let run = try LocalRun(
            Fixtures.path("variants/\(name)"), try ExpectedModel(name, in: "variants"))
        let tokens = try run.generate(
            run.expected.greedy_prompt, count: run.expected.greedy_continuation.count)
        #expect(tokens == run.expected.greedy_continuation)
    }
}
