package import Tokenizers

extension ModelFile {
    /// The model's tokenizer, with what the files around it say of special tokens.
    ///
    /// - Throws: `ModelFileError` or `TokenizerError`: one line with file, field and limit.
    /// - Complexity: O(vocabulary).
    package func makeTokenizer() throws -> Tokenizer {
        try tokenizer.makeTokenizer()
    }
}

extension TokenizerSource {
    /// The tokenizer, with what the files around it say of special tokens.
    ///
    /// - Throws: `ModelFileError` or `TokenizerError`: one line with file, field and limit.
    /// - Complexity: O(vocabulary).
    package func makeTokenizer() throws -> Tokenizer {
        switch vocabulary {
        case .gguf(let file):
            return try Tokenizer(vocabulary: try file.vocabulary())
        case .tokenizerJSON(let path):
            var made = try Tokenizer(tokenizerJSON: try FileBytes.read(path), file: path)
            made.beginOfTextID = beginOfTextID ?? made.beginOfTextID
            if !endOfTextIDs.isEmpty { made.endOfTextIDs = Set(endOfTextIDs) }
            made.addsBeginOfText = addsBeginOfText ?? made.addsBeginOfText
            return made
        }
    }
}
