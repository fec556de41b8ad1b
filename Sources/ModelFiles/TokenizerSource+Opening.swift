import OrderedJSON

extension TokenizerSource {
    /// Finds the text side of a model, for which no weights are needed: in a GGUF file, in a
    /// Hugging Face folder (whose config.json may be absent), or in a tokenizer.json, of which
    /// nothing but that file counts.
    ///
    /// - Throws: `ModelFileError`: one line with file, field and limit.
    /// - Complexity: O(headers); a tokenizer.json is not read yet.
    package static func open(_ path: String) throws(ModelFileError) -> TokenizerSource {
        switch MappedFile.kind(of: path) {
        case .folder?:
            let folder = CheckpointFolder(path: path)
            let config = try JSONValue.ifPresent(path: folder.file("config.json"))
            return try TokenizerSource(folder, config: config ?? .object([]))
        case .file? where path.hasSuffix(".json"):
            return TokenizerSource(
                vocabulary: .tokenizerJSON(path: path), beginOfTextID: nil, endOfTextIDs: [],
                addsBeginOfText: nil, beginOfTextToken: nil, endOfTextToken: nil,
                chatTemplate: nil)
        case .file? where path.hasSuffix(".safetensors"):
            return try open(CheckpointFolder(holding: path).path)
        default: return try TokenizerSource(try GGUFFile(path: path))
        }
    }
}
