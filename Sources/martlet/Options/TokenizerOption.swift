import ArgumentParser
import ModelFiles
import Tokenizers

/// `--model`, for commands that need no weights.
struct TokenizerOption: ParsableArguments {
    @Option(help: "A GGUF file, a Hugging Face folder (weights may be absent) or a tokenizer.json.")
    var model: String

    func open() throws -> Tokenizer {
        try TokenizerSource.open(model).makeTokenizer()
    }
}
