import ModelFiles
import TestSupport
import Testing
import Tokenizers

/// The text side of a model opens without its weights.
struct TokenizerSourceTests {
    private static let json = "models/mixtral/tokenizer.json"

    @Test func aBareTokenizerSuffices() throws {
        let source = try TokenizerSource.open(Fixtures.path(Self.json))
        #expect(source.chatTemplate == nil && source.beginOfTextToken == nil)
        let whole = try ModelFile.open(Fixtures.path("models/mixtral")).makeTokenizer()
        let text = "It was a cold evening, 1811.\n"
        #expect(try source.makeTokenizer().encode(text) == whole.encode(text))
    }

    @Test func aFolderNeedsNeitherWeightsNorConfig() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("tokenizer.json", try Fixtures.bytes(Self.json))
        _ = try folder.write(
            "tokenizer_config.json",
            Array(#"{"bos_token": {"content": "<s>"}, "chat_template": "{{ bos_token }}"}"#.utf8))
        let source = try TokenizerSource.open(folder.path)
        #expect(source.beginOfTextToken == "<s>" && source.chatTemplate == "{{ bos_token }}")
        #expect(try source.makeTokenizer().vocabularyCount > 0)
    }

    @Test func aGGUFFileAndAFolderAgree() throws {
        let text = "Don't panic\t 42 \u{E9}"
        let file = try TokenizerSource.open(Fixtures.path("models/mixtral/model-f32.gguf"))
        let folder = try TokenizerSource.open(Fixtures.path("models/mixtral"))
        #expect(try file.makeTokenizer().encode(text) == folder.makeTokenizer().encode(text))
    }

    @Test func whatIsNotThereIsNamed() throws {
        let folder = try TemporaryFolder()
        let missing = try TokenizerSource.open(folder.path)
        #expect(throws: ModelFileError.self) { try missing.makeTokenizer() }
        #expect(throws: ModelFileError.self) { try TokenizerSource.open(folder.path + "/none") }
    }
}
