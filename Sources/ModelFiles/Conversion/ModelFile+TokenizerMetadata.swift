import Tokenizers

extension ModelFile {
    /// The metadata `tokenizer.*` for a GGUF file with the tokenizer of a Hugging Face folder.
    ///
    /// - Parameter vocabulary: rows of the embedding.
    /// - Throws: `missing` without a tokenizer.json; `ModelFileError` or `TokenizerError` for one that
    ///   cannot be read or that GGUF cannot say.
    /// - Complexity: O(bytes of tokenizer.json).
    package func tokenizerMetadata(vocabulary: Int) throws -> [GGUFMetadataEntry] {
        guard case .tokenizerJSON(let path) = tokenizer.vocabulary else {
            preconditionFailure("The metadata of a GGUF file are copied.")
        }
        guard FileBytes.exists(path) else {
            throw ModelFileError(
                .missing, file: path,
                "is missing; GGUF files hold the tokenizer too, put the model's tokenizer.json there"
            )
        }
        var found = try GGUFVocabulary(
            tokenizerJSON: try FileBytes.read(path), count: vocabulary, file: path)
        found.beginOfTextID = tokenizer.beginOfTextID ?? found.beginOfTextID
        found.addsBeginOfText = tokenizer.addsBeginOfText ?? found.addsBeginOfText
        found.padID = try settings.integer(.paddingID, in: 0...vocabulary - 1)
        let ends = endOfTextIDs(found)
        found.endOfTextID = ends.first
        found.endOfTurnID = ends.dropFirst().first
        var entries = found.metadata
        // Readers take up to three ends of an answer.
        if let id = ends.dropFirst(2).first {
            entries.append(GGUFMetadataEntry("tokenizer.ggml.eom_token_id", id))
        }
        if let template = tokenizer.chatTemplate {
            entries.append(GGUFMetadataEntry("tokenizer.chat_template", template))
        }
        return entries
    }

    /// The ids that end an answer, the one that tokenizer_config.json names first.
    private func endOfTextIDs(_ vocabulary: GGUFVocabulary) -> [Int] {
        var ends = tokenizer.endOfTextIDs
        if ends.isEmpty, let id = vocabulary.endOfTextID { ends = [id] }
        if let text = tokenizer.endOfTextToken,
            let named = ends.firstIndex(where: {
                vocabulary.tokens.indices.contains($0)
                    && vocabulary.tokens[$0].elementsEqual(text.utf8)
            })
        {
            ends.insert(ends.remove(at: named), at: 0)
        }
        return ends
    }
}

extension SettingName {
    fileprivate static let paddingID = SettingName(gguf: nil, config: "pad_token_id")
}

extension GGUFVocabulary {
    /// The vocabulary as metadata `tokenizer.ggml.*`, what is absent left out.
    fileprivate var metadata: [GGUFMetadataEntry] {
        let prefix = "tokenizer.ggml."
        var entries = [GGUFMetadataEntry(prefix + "model", model)]
        if let preTokenizer { entries.append(GGUFMetadataEntry(prefix + "pre", preTokenizer)) }
        entries.append(GGUFMetadataEntry(prefix + "tokens", texts: tokens))
        if !scores.isEmpty { entries.append(GGUFMetadataEntry(prefix + "scores", numbers: scores)) }
        entries.append(GGUFMetadataEntry(prefix + "token_type", integers: tokenTypes))
        if !merges.isEmpty { entries.append(GGUFMetadataEntry(prefix + "merges", texts: merges)) }
        let ids = [
            ("bos_token_id", beginOfTextID), ("eos_token_id", endOfTextID),
            ("eot_token_id", endOfTurnID), ("unknown_token_id", unknownID),
            ("padding_token_id", padID),
        ]
        for case (let key, let id?) in ids { entries.append(GGUFMetadataEntry(prefix + key, id)) }
        let flags = [
            ("add_bos_token", addsBeginOfText), ("add_eos_token", addsEndOfText),
            ("add_space_prefix", addsSpacePrefix),
        ]
        for case (let key, let flag?) in flags {
            entries.append(GGUFMetadataEntry(prefix + key, flag))
        }
        return entries
    }
}
