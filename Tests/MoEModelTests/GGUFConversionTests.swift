import Foundation
import ModelFiles
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// Folders become GGUF files that are the same model.
struct GGUFConversionTests {
    /// Writes the converted model and returns the path.
    private static func convert(
        _ path: String, _ formats: TensorFormats, in folder: TemporaryFolder,
        name: String = "out.gguf"
    ) throws -> (path: String, notes: [String]) {
        let conversion = try GGUFConversion(ModelFile.open(path))
        let (metadata, tensors) = try conversion.plan(formats)
        let output = folder.path + "/" + name
        let writer = GGUFWriter(
            path: output, source: path, metadata: metadata, tensors: tensors, threads: 2)
        _ = try #require(try writer.write(replacing: false) { _ in true })
        return (output, conversion.notes)
    }

    @Test(arguments: ParityTests.models)
    func logitsStayTheSame(_ name: String) throws {
        let folder = try TemporaryFolder()
        let (path, notes) = try Self.convert(
            Fixtures.path("models/\(name)"), TensorFormats(type: .bf16), in: folder)
        #expect(notes.isEmpty, "\(notes)")
        let run = try LocalRun(path, try ExpectedModel(name))
        let worst = try run.worstError(from: "models/\(name)/expected_logits.f32")
        #expect(worst <= 2e-4, "\(name): off by \(worst) of the largest logit")
    }

    /// The fixtures' GGUF files are llama.cpp's converter's: the same names, shapes and bytes.
    @Test(arguments: ParityTests.models)
    func tensorsAreThoseOfLlamaCpp(_ name: String) throws {
        let folder = try TemporaryFolder()
        let (path, _) = try Self.convert(
            Fixtures.path("models/\(name)"), TensorFormats(type: .f32), in: folder)
        let made = try GGUFFile(path: path)
        let wanted = try GGUFFile(path: Fixtures.path("models/\(name)/model-f32.gguf"))
        #expect(
            Set(made.archive.entries.map(\.name)) == Set(wanted.archive.entries.map(\.name)))
        for entry in wanted.archive.entries {
            let other = try #require(made.archive[entry.name])
            // A gate of one row is a vector here.
            #expect(other.dimensions.filter { $0 > 1 } == entry.dimensions.filter { $0 > 1 })
            #expect(
                other.bytes.copyBytes(0..<other.bytes.count)
                    == entry.bytes.copyBytes(0..<entry.bytes.count), "\(name): \(entry.name)")
        }
        for (key, value) in wanted.metadata where key != "general.name" {
            // One group of experts is none, and the size's label is for people.
            guard !key.contains("expert_group"), key != "general.size_label" else { continue }
            #expect(made.metadata[key] == value, "\(name): \(key)")
        }
    }

    /// The variants that GGUF can say, with a tokenizer of three tokens beside them.
    @Test(arguments: [
        "deepseek2-groups-yarn", "deepseek3-groups-yarn", "glm4moe-groups", "glm4moe-norm",
        "gptoss-mxfp4", "llama-llama3", "llama-odd-tied-linear", "llama-yarn",
        "mixtral-window-fused", "olmoe-norm-clip",
    ])
    func logitsOfVariantsStayTheSame(_ name: String) throws {
        let folder = try TemporaryFolder()
        let source = try Self.withTokenizer("variants/\(name)", in: folder)
        let formats = TensorFormats(
            type: .f32, experts: name == "gptoss-mxfp4" ? .mxfp4 : nil)
        let (path, _) = try Self.convert(source, formats, in: folder)
        let run = try LocalRun(path, try ExpectedModel(name, in: "variants"))
        let worst = try run.worstError(from: "variants/\(name)/expected_logits.f32")
        #expect(worst <= 2e-4, "\(name): off by \(worst) of the largest logit")
    }

    @Test(arguments: [
        ("deepseek3-plain", "rope_interleave"), ("gptoss-window", "layer_types"),
    ])
    func whatGGUFCannotSayIsRefused(_ name: String, _ field: String) throws {
        let folder = try TemporaryFolder()
        let source = try Self.withTokenizer("variants/\(name)", in: folder)
        #expect {
            _ = try Self.convert(source, TensorFormats(type: .f32), in: folder)
        } throws: {
            "\($0)".contains(field) && "\($0)".contains("config.json")
        }
    }

    @Test(arguments: [
        ("qwen3-window", "window"), ("llama-dynamic", "dynamic"),
        ("olmoe-norm-clip", "norm_topk_prob"),
    ])
    func whatReadersDoNotDoIsSaid(_ name: String, _ word: String) throws {
        let folder = try TemporaryFolder()
        let source = try Self.withTokenizer("variants/\(name)", in: folder)
        let (_, notes) = try Self.convert(source, TensorFormats(type: .f32), in: folder)
        #expect(notes.count == 1)
        #expect(notes.first?.contains(word) == true, "\(notes)")
    }

    @Test func foldersWithoutTokenizerAreRefused() throws {
        #expect {
            _ = try GGUFConversion(
                ModelFile.open(Fixtures.path("variants/llama-llama3")))
        } throws: {
            "\($0)".contains("tokenizer.json: is missing")
        }
    }

    /// A GGUF file keeps its metadata, byte by byte, and in its own format its tensors.
    @Test func filesOfTheSameTypeAreCopies() throws {
        let folder = try TemporaryFolder()
        let source = Fixtures.demoModel
        let (path, _) = try Self.convert(source, TensorFormats(type: .q8_0), in: folder)
        let written = ["general.quantization_version", "general.file_type"]
        let kept = try GGUFMetadataEntry.read(path: path)
        #expect(kept.suffix(2).map(\.key) == written)
        #expect(
            kept.dropLast(2)
                == (try GGUFMetadataEntry.read(path: source)).filter { !written.contains($0.key) }[
                    ...])
        let (old, new) = (try GGUFFile(path: source), try GGUFFile(path: path))
        #expect(new.archive.entries.count == old.archive.entries.count)
        for (left, right) in zip(old.archive.entries, new.archive.entries) {
            #expect(left.name == right.name && left.format == right.format)
            #expect(
                left.bytes.copyBytes(0..<left.bytes.count)
                    == right.bytes.copyBytes(0..<right.bytes.count), "\(left.name)")
        }
    }

    /// Through fp16 and back: what fp16 holds is as it was, the rest (bf16 numbers below 2^-17) is
    /// off by half of fp16's smallest step, and the writer says how many those are.
    @Test func halfPrecisionIsExact() throws {
        let folder = try TemporaryFolder()
        let source = Fixtures.path("models/mixtral")
        let (half, _) = try Self.convert(
            source, TensorFormats(type: .f16), in: folder, name: "half.gguf")
        let (full, _) = try Self.convert(
            half, TensorFormats(type: .f32), in: folder, name: "full.gguf")
        let (again, _) = try Self.convert(
            full, TensorFormats(type: .f16), in: folder, name: "again.gguf")
        let data = try [half, again].map { try Data(contentsOf: URL(filePath: $0)) }
        #expect(data[0] == data[1])
        let reference = try GGUFFile(path: Fixtures.path("models/mixtral/model-f32.gguf"))
        let made = try GGUFFile(path: full)
        var changed = 0
        for entry in reference.archive.entries {
            let other = try #require(made.archive[entry.name])
            for (new, old) in zip(Self.numbers(other), Self.numbers(entry)) where new != old {
                changed += 1
                #expect(old.magnitude < 0x1p-17 && (new - old).magnitude <= 0x1p-25)
            }
        }
        let conversion = try GGUFConversion(ModelFile.open(source))
        let (metadata, tensors) = try conversion.plan(TensorFormats(type: .f16))
        let writer = GGUFWriter(
            path: folder.path + "/counted.gguf", source: source, metadata: metadata,
            tensors: tensors, threads: 1)
        let report = try #require(try writer.write(replacing: false) { _ in true })
        #expect(report.rounded == changed)
        #expect(changed > 0)
    }

    private static func numbers(_ entry: TensorEntry) -> [Float] {
        QuantizedMatrix(
            rows: 1, columns: entry.elementCount, format: entry.format, bytes: entry.bytes
        ).dequantizedRow(0)
    }

    /// A copy of a fixture's folder with a tokenizer.json of three tokens.
    private static func withTokenizer(
        _ name: String, in folder: TemporaryFolder
    ) throws -> String {
        for file in try FileManager.default.contentsOfDirectory(atPath: Fixtures.path(name))
        where file == "config.json" || file.hasPrefix("model") && !file.hasSuffix("gguf") {
            try FileManager.default.copyItem(
                atPath: Fixtures.path("\(name)/\(file)"), toPath: folder.path + "/" + file)
        }
        let json = """
            {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}}
            """
        _ = try folder.write("tokenizer.json", Array(json.utf8))
        return folder.path
    }
}
