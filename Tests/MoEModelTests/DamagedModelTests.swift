import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// A model whose settings are damaged is refused, or opens and computes numbers of the right shape.
struct DamagedModelTests {
    @Test(arguments: ["deepseek3-groups-yarn", "gptoss-mxfp4", "qwen2moe-sparse-window"])
    func damagedConfigurationsAreOpenedOrRefused(_ name: String) throws {
        let folder = try TemporaryFolder()
        let config = try Fixtures.bytes("variants/\(name)/config.json")
        _ = try folder.write(
            "model.safetensors", try Fixtures.bytes("variants/\(name)/model.safetensors"))
        var refused = 0
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            let damaged = Fuzzer.mutate(config, in: 0..<config.count, using: &generator)
            _ = try folder.write("config.json", damaged)
            refused += try isRefused(folder.path, "\(name), seed \(seed)") ? 1 : 0
        }
        #expect(refused > 100, "only \(refused) of 300 were refused")
    }

    @Test(arguments: ["deepseek3-groups-yarn", "gptoss-mxfp4", "llama-llama3"])
    func damagedGGUFFilesAreOpenedOrRefused(_ name: String) throws {
        let folder = try TemporaryFolder()
        let bytes = try Fixtures.bytes("variants/\(name)/model.gguf")
        var refused = 0
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            let damaged = Fuzzer.mutate(bytes, in: 24..<1500, using: &generator)
            let path = try folder.write("model.gguf", damaged)
            refused += try isRefused(path, "\(name), seed \(seed)") ? 1 : 0
        }
        #expect(refused > 100, "only \(refused) of 300 were refused")
    }

    private func isRefused(_ path: String, _ context: String) throws -> Bool {
        let model: Model
        do {
            model = try Model(ModelFile.open(path))
        } catch {
            #expect(!"\(error)".contains("\n"), "\(context)")
            return true
        }
        var cache = KeyValuePool(model.transformer).makeCache()
        let logits = try model.transformer.forward(
            [1, 2, 3], cache: &cache, rows: .all, selector: model.selector,
            experts: LocalExperts(layers: model.experts))
        #expect(logits.rows == 3 && logits.columns == model.configuration.vocabulary, "\(context)")
        return false
    }
}
