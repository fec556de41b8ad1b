package import Tokenizers

extension ModelFile {
    /// The model's tokenizer, with what the files around it say of special tokens.
    ///
    /// - Throws: `ModelFileError` or `TokenizerError`: one line with file, field and limit.
    /// - Complexity: O(vocabulary).
    package func makeTokenizer() throws -> Tokenizer {
        switch tokenizer.vocabulary {
        case .gguf(let file):
            return try Tokenizer(vocabulary: try file.vocabulary())
        case .tokenizerJSON(let path):
            var made = try Tokenizer(tokenizerJSON: try FileBytes.read(path), file: path)
            made.beginOfTextID = tokenizer.beginOfTextID ?? made.beginOfTextID
            made.endOfTextIDs = Set(tokenizer.endOfTextIDs)
            made.addsBeginOfText = tokenizer.addsBeginOfText ?? made.addsBeginOfText
            return made
        }
    }
}
