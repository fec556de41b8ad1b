import Foundation
import OrderedJSON
import Tensors
import TestSupport
import Testing
import Tokenizers

@testable import ModelFiles

/// safetensors files and Hugging Face folders: right ones open, wrong ones are refused in one line.
struct SafeTensorsTests {
    /// A file with that header and so many bytes of data.
    static func file(_ header: String, length: UInt64? = nil, data: Int = 32) -> [UInt8] {
        GGUFBuilder.little(length ?? UInt64(header.utf8.count)) + header.utf8
            + [UInt8](repeating: 0, count: data)
    }

    static let good =
        #"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"#
        + #""b":{"dtype":"U8","shape":[3],"data_offsets":[20,23]}}"#

    @Test func aGoodOneOpens() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("model.safetensors", Self.file(Self.good))
        let file = try SafeTensorsFile(path: path)
        let archive = try TensorArchive(file: path, entries: file.entries, others: file.others)
        #expect(try archive.matrix("a", rows: 2, columns: 2).bytes.count == 16)
        #expect(archive.opaque("b")?.bytes.count == 3)
        let error = #expect(throws: ModelFileError.self) { try archive.vector("b", count: 3) }
        #expect(error?.code == .unsupported)
        #expect(error?.description.contains("U8") == true)
    }

    static let bad: [([UInt8], [String])] = [
        ([1, 2, 3], ["3 bytes"]),
        (file("{}", length: 1 << 60), ["header length", "100000000"]),
        (file("{}", length: 1000), ["header needs 1000 bytes"]),
        (file("[]"), ["not a JSON object"]),
        (file("{"), ["JSON at byte"]),
        (file(#"{"a":1,"a":2}"#), ["\"a\" appears twice"]),
        (file(#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#), ["tensor a", "dtype"]),
        (file(#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#), ["tensor a", "shape"]),
        (file(#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#), ["tensor a", "-1"]),
        (file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#), ["needs 8 bytes"]),
        (file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#), ["data_offsets"]),
        (file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[64,68]}}"#), ["tensor a: ends"]),
        (
            file(#"{"a":{"dtype":"F32","shape":[1099511627776,4],"data_offsets":[0,4]}}"#),
            ["over the limit", "\(SafeTensorsLimits.elementCount)"]
        ),
        (
            file(#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#),
            ["9 entries", "8"]
        ),
        (
            file(
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
                    + #""b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#),
            ["tensor b overlaps tensor a"]
        ),
        (file(String(repeating: "[", count: 100)), ["nests deeper", "64"]),
    ]

    @Test(arguments: bad.indices)
    func isRefused(_ index: Int) throws {
        let (bytes, words) = Self.bad[index]
        let folder = try TemporaryFolder()
        let path = try folder.write("bad.safetensors", bytes)
        let error = #expect(throws: ModelFileError.self) { try SafeTensorsFile(path: path) }
        let text = try #require(error).description
        #expect(text.hasPrefix(path + ": "), "\(text)")
        for word in words { #expect(text.contains(word), "\"\(word)\" in \(text)") }
    }

    @Test func foldersNeedTheirParts() throws {
        let folder = try TemporaryFolder()
        func message() -> String {
            do {
                return "\(try ModelFile.open(folder.path).path) opened"
            } catch { return "\(error)" }
        }
        #expect(message().contains("config.json is missing"))
        _ = try folder.write("config.json", Array(#"{"hidden_size": 4}"#.utf8))
        #expect(message().contains("model_type"))
        _ = try folder.write("config.json", Array(#"{"model_type": "llama"}"#.utf8))
        #expect(message().contains("neither model.safetensors"))
        let index = "model.safetensors.index.json"
        _ = try folder.write(index, Array(#"{"weight_map": {"a": "../x"}}"#.utf8))
        #expect(message().contains("not the name of a file in this folder"))
        _ = try folder.write(index, Array(#"{"weight_map": {"z": "s.safetensors"}}"#.utf8))
        _ = try folder.write("s.safetensors", Self.file(Self.good))
        #expect(message().contains("tensor z is not in the file"))
        _ = try folder.write(index, Array(#"{"weight_map": {"a": "s.safetensors"}}"#.utf8))
        #expect(message().contains("opened"))
    }

    @Test func specialTokensComeFromTheFilesAround() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("model.safetensors", Self.file(Self.good))
        _ = try folder.write(
            "config.json",
            Array(#"{"model_type": "llama", "eos_token_id": 7, "bos_token_id": 1}"#.utf8))
        #expect(try ModelFile.open(folder.path).tokenizer.endOfTextIDs == [7])
        _ = try folder.write(
            "generation_config.json",
            Array(#"{"eos_token_id": [3, 4], "bos_token_id": null}"#.utf8))
        _ = try folder.write(
            "tokenizer_config.json",
            Array(
                (#"{"add_bos_token": true, "bos_token": {"content": "<s>"}, "eos_token": "</s>","#
                    + #" "chat_template": [{"name": "tool", "template": "t"},"#
                    + #" {"name": "default", "template": "d"}]}"#).utf8))
        for path in [folder.path, folder.path + "/model.safetensors"] {
            let tokenizer = try ModelFile.open(path).tokenizer
            #expect(tokenizer.endOfTextIDs == [3, 4])
            #expect(tokenizer.beginOfTextID == 1)
            #expect(tokenizer.addsBeginOfText == true)
            #expect(tokenizer.beginOfTextToken == "<s>")
            #expect(tokenizer.endOfTextToken == "</s>")
            #expect(tokenizer.chatTemplate == "d")
        }
        _ = try folder.write("generation_config.json", Array(#"{"eos_token_id": "x"}"#.utf8))
        #expect(throws: ModelFileError.self) { try ModelFile.open(folder.path) }
    }

    /// A folder and a GGUF file of one model have one tokenizer.
    @Test func tokenizersAgree() throws {
        let one = try ModelFile.open(Fixtures.path("models/qwen3")).makeTokenizer()
        let two = try ModelFile.open(Fixtures.path("models/qwen3/model-f32.gguf")).makeTokenizer()
        let text = "The quick brown fox, 1234 × 5 = naïve\n\n  🦊"
        #expect(one.encode(text) == two.encode(text))
        #expect(one.endOfTextIDs == [0])
        #expect(two.endOfTextIDs == [0])
    }
}

/// JSON beside a model names its file in every error.
struct JSONFileTests {
    private func read(_ text: String) throws(ModelFileError) -> JSONValue {
        try JSONValue(Array(text.utf8), rules: JSONLimits.file, file: "test.json")
    }

    @Test func errorsNameTheFile() {
        for (text, code) in [("[1,]", .malformed), (String(repeating: "[", count: 65), .overLimit)]
            as [(String, ModelFileError.Code)]
        {
            let error = #expect(throws: ModelFileError.self) { try read(text) }
            #expect(error?.code == code)
            #expect(error?.description.hasPrefix("test.json: JSON at byte ") == true)
        }
    }

    @Test func repeatedKeysAreRefused() {
        #expect(throws: ModelFileError.self) { try read(#"{"a":1,"a":1}"#) }
    }

    /// tokenizer_config.json says so where a length has no bound.
    @Test func largeIntegersAreNumbers() throws {
        #expect(
            try read(#"{"model_max_length": 1000000000000000019884624838656}"#)["model_max_length"]
                == .number(1e30))
    }

    @Test func summariesAreShort() throws {
        let value = try read(#"[null, true, 1, 2.5, "a\nb", [0], {"a": 1}]"#)
        guard case .array(let values) = value else {
            Issue.record("not an array")
            return
        }
        #expect(
            values.map(\.summary) == [
                "null", "true", "1", "2.5", "\"a?b\"", "[1 values]", "{1 members}",
            ])
    }
}
