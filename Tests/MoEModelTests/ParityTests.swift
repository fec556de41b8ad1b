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
        let run = try LocalRun(name, format)
        let logits = try run.logits(run.expected.input_ids)
        let expected = try Fixtures.floats("models/\(name)/expected_logits.f32")
        #expect(logits.values.count == expected.count)
        let largest = expected.reduce(0) { max($0, abs($1)) }
        let worst = zip(logits.values, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(worst <= 2e-4 * largest, "\(name): off by \(worst / largest) of the largest logit")
    }

    @Test(arguments: models, ModelFormat.allCases)
    func greedyContinuationIsTransformers(_ name: String, _ format: ModelFormat) throws {
        let run = try LocalRun(name, format)
        let tokens = try run.generate(
            run.expected.greedy_prompt, count: run.expected.greedy_continuation.count)
        #expect(tokens == run.expected.greedy_continuation)
    }

    /// Reading a prompt at once, in two parts, or token by token changes no bit.
    @Test(arguments: models)
    func stepsDoNotChangeLogits(_ name: String) throws {
        let run = try LocalRun(name, .gguf)
        let ids = run.expected.input_ids
        let whole = try run.logits(ids)
        for parts in [[1, ids.count - 1], [17, ids.count - 17], ids.map { _ in 1 }] {
            #expect(try run.logits(ids, parts: parts) == whole, "parts \(parts)")
        }
    }

    /// Latent attention keeps one short vector and one rotated key per position, nothing per head.
    @Test func latentCacheIsCompressed() throws {
        let run = try LocalRun("deepseek_v2", .folder)
        var cache = KeyValueCache(layers: run.model.configuration.layers)
        _ = try run.model.transformer.forward(
            run.expected.input_ids, cache: &cache, rows: .last, selector: run.selector,
            experts: LocalExperts(layers: run.model.experts))
        #expect(cache.positions == 40)
        #expect(cache.byteCount == 4 * 3 * 40 * (32 + 16))
    }
}

/// The two ways in which a fixture lies on disk.
enum ModelFormat: String, CaseIterable {
    case folder, gguf

    func path(_ model: String) -> String {
        Fixtures.path("models/\(model)" + (self == .gguf ? "/model-f32.gguf" : ""))
    }
}

/// A tiny model with all experts in this process.
struct LocalRun {
    let model: Model
    let expected: ExpectedModel

    init(_ name: String, _ format: ModelFormat = .gguf) throws {
        model = try Model(ModelFile.open(format.path(name)))
        expected = try ExpectedModel(name)
    }

    var selector: TopKSelector {
        TopKSelector(
            model.configuration.experts
                ?? ExpertsConfiguration(count: 1, perToken: 1, inner: 1, normalizesWeights: true))
    }

    /// `[ids × vocabulary]`, read in steps of the given sizes.
    func logits(_ ids: [Int], parts: [Int]? = nil) throws -> Matrix {
        var cache = KeyValueCache(layers: model.configuration.layers)
        let experts = LocalExperts(layers: model.experts)
        var values: [Float] = []
        var rest = ids[...]
        for part in parts ?? [ids.count] {
            values += try model.transformer.forward(
                Array(rest.prefix(part)), cache: &cache, rows: .all, selector: selector,
                experts: experts
            ).values
            rest = rest.dropFirst(part)
        }
        return Matrix(rows: ids.count, columns: model.configuration.vocabulary, values: values)
    }

    func generate(_ prompt: [Int], count: Int) throws -> [Int] {
        var generation = Generation(
            transformer: model.transformer, selector: selector,
            experts: LocalExperts(layers: model.experts), clock: ManualClock(),
            sampling: SamplingOptions(), prompt: prompt)
        return try (0..<count).map { _ in try generation.next().id }
    }
}
