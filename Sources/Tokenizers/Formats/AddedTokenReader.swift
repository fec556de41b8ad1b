/// Reads `added_tokens` of a `tokenizer.json`.
enum AddedTokenReader {
    /// Reads the tokens and enters those that the model lacks into its vocabulary.
    static func tokens(
        _ field: JSONField, _ vocabulary: inout Vocabulary
    ) throws(TokenizerError) -> [AddedToken] {
        guard !field.isNull else { return [] }
        var tokens: [AddedToken] = []
        for item in try field.array() {
            let token = try token(item)
            try enter(token, item, &vocabulary)
            tokens.append(token)
        }
        return tokens
    }

    private static func token(_ field: JSONField) throws(TokenizerError) -> AddedToken {
        let content = try field["content"].bytes()
        guard content.count <= TokenizerLimits.tokenByteCount else {
            throw field.reporter.exceeded(
                "\(field.path).content has \(content.count) bytes, the limit is "
                    + "\(TokenizerLimits.tokenByteCount)")
        }
        let isSpecial = try field["special"].boolean(default: false)
        return AddedToken(
            id: try field["id"].integer(through: TokenizerLimits.vocabularyCount - 1),
            content: content,
            isSpecial: isSpecial,
            isNormalized: try field["normalized"].boolean(default: !isSpecial),
            isSingleWord: try field["single_word"].boolean(default: false),
            stripsLeft: try field["lstrip"].boolean(default: false),
            stripsRight: try field["rstrip"].boolean(default: false))
    }

    private static func enter(
        _ token: AddedToken, _ field: JSONField, _ vocabulary: inout Vocabulary
    ) throws(TokenizerError) {
        if vocabulary.contains(token.id), vocabulary[token.id].elementsEqual(token.content) {
            return
        }
        do throws(Vocabulary.Conflict) {
            try vocabulary.insert(token.content, id: token.id, isAdded: true)
        } catch {
            let text = quoted(token.content)
            switch error {
            case .idTaken:
                throw field.reporter.inconsistent(
                    "\(field.path): id \(token.id) of \(text) already is "
                        + quoted(vocabulary[token.id]))
            case .tokenTaken(let id):
                throw field.reporter.inconsistent(
                    "\(field.path): \(text) has id \(token.id) here and \(id) in the vocabulary")
            }
        }
    }
}
