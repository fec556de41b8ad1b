import Foundation
import ModelFiles
import TestSupport
import Testing

@testable import MoEModel

/// What configurations say and how they are refused.
struct ConfigurationTests {
    /// The tiny model of that name with a changed config.json.
    private func open(_ name: String, _ change: (inout [String: Any]) -> Void) throws -> Model {
        let folder = try TemporaryFolder()
        let bytes = try Fixtures.bytes("models/\(name)/config.json")
        var config = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        change(&config)
        _ = try folder.write(
            "config.json", Array(try JSONSerialization.data(withJSONObject: config)))
        _ = try folder.write(
            "model.safetensors", try Fixtures.bytes("models/\(name)/model.safetensors"))
        return try Model(ModelFile.open(folder.path))
    }

    private func message(_ name: String, _ change: (inout [String: Any]) -> Void) -> String {
        do {
            _ = try open(name, change)
            return "opened"
        } catch { return "\(error)" }
    }

    @Test func unknownArchitecturesAreRefusedWithTheKnown() throws {
        let text = message("llama") { $0["model_type"] = "mamba" }
        #expect(text.contains("config.json: field model_type: \"mamba\" is not supported; known: "))
        #expect(text.contains("llama, mixtral, olmoe, qwen2_moe, qwen3, qwen3_moe, deepseek_v2"))
    }

    /// Each is one line that names the setting.
    @Test(arguments: [
        ("hidden_size", -1 as Int?), ("hidden_size", nil), ("num_hidden_layers", 1 << 40),
        ("num_attention_heads", 3), ("num_attention_heads", 0), ("vocab_size", 511),
        ("intermediate_size", 1 << 30), ("num_hidden_layers", 3),
    ])
    func wrongSizesAreRefused(_ field: String, _ value: Int?) {
        let text = message("mixtral") { $0[field] = value.map { $0 as Any } }
        #expect(text != "opened" && !text.contains("\n"), "\(field) \(value ?? 0): \(text)")
    }

    @Test(arguments: [
        (#"{"rope_type": "longrope", "rope_theta": 10000.0}"#, "longrope"),
        (#"{"rope_type": "linear", "rope_theta": 10000.0}"#, "rope_parameters.factor is missing"),
        (#"{"rope_type": "linear", "rope_theta": 10000.0, "factor": 0}"#, "must be above 0"),
        (#"{"rope_type": "default", "rope_theta": 0.5}"#, "rope_theta: must be above 1"),
        (#"{"rope_type": 3}"#, "rope_type: 3 is not a text"),
    ])
    func wrongRotarySettingsAreRefused(_ rope: String, _ words: String) throws {
        let value = try JSONSerialization.jsonObject(with: Data(rope.utf8))
        let text = message("llama") { $0["rope_parameters"] = value }
        #expect(text.contains(words), "\(text)")
    }

    /// One set of rotary settings for each kind of layer.
    @Test func rotarySettingsMayDifferByLayerType() throws {
        let model = try open("gpt_oss") {
            $0["rope_parameters"] = [
                "full_attention": ["rope_type": "linear", "rope_theta": 5000.0, "factor": 2.0],
                "sliding_attention": ["rope_type": "default", "rope_theta": 3000.0],
            ]
        }
        let configuration = model.configuration
        #expect(configuration.layerKinds.map(\.window) == [16, nil])
        let (sliding, full) = (
            configuration.rotaries[configuration.layerKinds[0].rotary],
            configuration.rotaries[configuration.layerKinds[1].rotary]
        )
        #expect(sliding.base == 3000 && sliding.scaling == .none)
        #expect(full.base == 5000 && full.scaling == .linear(factor: 2))
    }

    /// GGUF files of these say nothing of it; where one does, it counts (VariantTests).
    @Test(arguments: [
        ("olmoe", false), ("qwen2_moe", false), ("qwen3_moe", true), ("mixtral", true),
    ])
    func weightsAreNormalisedByDefault(_ name: String, _ normalizes: Bool) throws {
        let model = try Model(ModelFile.open(Fixtures.path("models/\(name)/model-f32.gguf")))
        #expect(model.configuration.experts?.normalizesWeights == normalizes)
    }

    @Test func gptOSSBlendIsNotRounded() throws {
        for path in ["models/gpt_oss", "models/gpt_oss/model-f32.gguf"] {
            let model = try Model(ModelFile.open(Fixtures.path(path)))
            guard case .yarn(let yarn) = model.configuration.rotaries[0].scaling else {
                Issue.record("\(path) has YaRN")
                continue
            }
            #expect(!yarn.truncates && yarn.factor == 32 && yarn.contextLength == 4096)
        }
    }
}
