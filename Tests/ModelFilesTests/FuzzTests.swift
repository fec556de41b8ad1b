import OrderedJSON
import SystemModel
import TestSupport
import Testing

@testable import ModelFiles

/// Thousands of damaged headers and documents: each is read or refused in one line.
struct FuzzTests {
    /// A file, its format, and how many of its first bytes are the header.
    static let cases: [(Fuzzer.Format, String, Int)] = [
        (.gguf, "variants/llama-llama3/model.gguf", 2400),
        (.gguf, "variants/gptoss-mxfp4/model.gguf", 3400),
        (.safetensors, "variants/olmoe-norm-clip/model.safetensors", 6000),
        (.json, "models/gpt_oss/config.json", 1066),
        (.tokenizer, "models/mixtral/tokenizer.json", 1 << 20),
    ]

    @Test(arguments: 0..<5)
    func damagedHeadersAreReadOrRefused(_ index: Int) throws {
        let (format, name, headerBytes) = Self.cases[index]
        let bytes = try Fixtures.bytes(name)
        var refused = 0
        for seed in UInt64(0)..<2000 {
            var generator = SeededGenerator(seed: seed)
            let damaged = Fuzzer.mutate(
                bytes, in: 0..<min(headerBytes, bytes.count), using: &generator)
            do {
                try Fuzzer.read(damaged, as: format)
            } catch {
                refused += 1
                #expect(!"\(error)".contains("\n"), "\(name), seed \(seed)")
                #expect("\(error)".utf8.count < 2000, "\(name), seed \(seed)")
            }
        }
        // Damage inside a text or a number may well leave a file that can be read.
        #expect(refused > 200, "\(name): only \(refused) of 2000 were refused")
    }

    /// Two thousand documents whose values are exchanged: most are still JSON, so that what reads
    /// the values is reached.
    @Test(arguments: ["models/gpt_oss/config.json", "models/mixtral/tokenizer.json"])
    func exchangedValuesAreReadOrRefused(_ name: String) throws {
        let bytes = try Fixtures.bytes(name)
        let format: Fuzzer.Format = name.hasSuffix("tokenizer.json") ? .tokenizer : .json
        var (syntax, refused) = (0, 0)
        for seed in UInt64(0)..<2000 {
            var generator = SeededGenerator(seed: seed)
            let damaged = Fuzzer.mutateJSON(bytes, using: &generator)
            do {
                _ = try JSONValue(damaged, rules: JSONLimits.file, file: name)
            } catch {
                syntax += 1
            }
            do {
                try Fuzzer.read(damaged, as: format)
            } catch {
                refused += 1
                #expect(!"\(error)".contains("\n"), "\(name), seed \(seed)")
            }
        }
        #expect(syntax < 1600, "\(name): \(syntax) of 2000 were no JSON")
        #expect(refused > 200, "\(name): only \(refused) of 2000 were refused")
    }

    @Test func namesInDamagedFilesDoNotBreakTheLine() {
        let error = ModelFileError(.malformed, file: "a.gguf", "metadata a\r\nb\u{2028}c\u{1B}: is")
        #expect(error.description == "a.gguf: metadata a??b?c?: is")
    }

    @Test func theSameSeedDamagesAlike() {
        let bytes = [UInt8](0..<200)
        for seed in UInt64(0)..<50 {
            var (one, two) = (SeededGenerator(seed: seed), SeededGenerator(seed: seed))
            let damaged = Fuzzer.mutate(bytes, in: 10..<20, using: &one)
            #expect(damaged == Fuzzer.mutate(bytes, in: 10..<20, using: &two), "seed \(seed)")
            #expect(damaged.prefix(10) == bytes.prefix(10), "seed \(seed)")
        }
    }
}
