import OrderedJSON

/// Reads `model` of a `tokenizer.json`: vocabulary, merges and how unknown characters are spelled.
struct BPEModelReader {
    let field: JSONField
    /// Whether the pre-tokenizer spells bytes with GPT-2's alphabet.
    let isByteLevel: Bool

    /// - Returns: the model, and where its merges never cross (nil where cutting there could change
    ///   the tokens).
    func read() throws(TokenizerError) -> (BytePairEncoding, MergeBoundaries?) {
        try checkKind()
        let vocabulary = try readVocabulary()
        let (merges, boundaries) = try readMerges(vocabulary)
        let alphabet = try readAlphabet(vocabulary)
        let model = BytePairEncoding(
            vocabulary: vocabulary, merges: merges, alphabet: alphabet,
            ignoresMerges: try field["ignore_merges"].boolean(default: false))
        return (model, model.allowsCutting ? boundaries : nil)
    }

    private func checkKind() throws(TokenizerError) {
        // Old files have no type: a model with merges is BPE.
        let kind = field["type"].isNull ? "BPE" : try field["type"].string()
        guard kind == "BPE" else {
            throw field.reporter.unsupported("model.type is \(quoted(kind.utf8)), known is BPE")
        }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] as [StaticString] {
            guard !field[name].isNull, try !field[name].bytes().isEmpty else { continue }
            throw field.reporter.unsupported("model.\(name) is set, only models without are known")
        }
    }

    private func readVocabulary() throws(TokenizerError) -> Vocabulary {
        let members = try field["vocab"].members()
        guard members.count <= TokenizerLimits.vocabularyCount else {
            throw field.reporter.exceeded(
                "model.vocab has \(members.count) entries, the limit is "
                    + "\(TokenizerLimits.vocabularyCount)")
        }
        var vocabulary = Vocabulary(capacity: members.count)
        for member in members { try enter(member, in: &vocabulary) }
        return vocabulary
    }

    private func enter(
        _ member: JSONValue.Member, in vocabulary: inout Vocabulary
    ) throws(TokenizerError) {
        let token = member.key.utf8
        guard token.count <= TokenizerLimits.tokenByteCount else {
            throw field.reporter.exceeded(
                "model.vocab has a token of \(token.count) bytes, the limit is "
                    + "\(TokenizerLimits.tokenByteCount)")
        }
        guard case .integer(let id) = member.value,
            (0..<TokenizerLimits.vocabularyCount).contains(id)
        else {
            throw field.reporter.exceeded(
                "model.vocab[\(quoted(token))] is not an id 0..<"
                    + "\(TokenizerLimits.vocabularyCount)")
        }
        do throws(Vocabulary.Conflict) {
            try vocabulary.insert(token, id: id)
        } catch {
            throw field.reporter.inconsistent(
                "model.vocab[\(quoted(token))]: the token or its id \(id) occurs twice")
        }
    }

    private func readAlphabet(
        _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> BytePairEncoding.Alphabet {
        if isByteLevel {
            return .bytes(BytePairEncoding.byteLevelIDs(vocabulary))
        }
        let unknown = field["unk_token"]
        var unknownID: Int32?
        if !unknown.isNull {
            guard let id = vocabulary.id(of: try unknown.bytes()) else {
                throw field.reporter.inconsistent("model.unk_token is not in model.vocab")
            }
            unknownID = Int32(id)
        }
        let fallsBack = try field["byte_fallback"].boolean(default: false)
        return .scalars(
            ScalarAlphabet(
                byteIDs: fallsBack ? BytePairEncoding.byteTokenIDs(vocabulary) : [],
                unknownID: unknownID,
                fusesUnknown: try field["fuse_unk"].boolean(default: false)))
    }

    private func readMerges(
        _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> (MergeTable, MergeBoundaries) {
        guard case .array(let items) = field["merges"].value else {
            throw field.reporter.malformed("model.merges is not an array")
        }
        var table = MergeTable(capacity: items.count)
        var boundaries = MergeBoundaries()
        for (rank, item) in items.enumerated() {
            guard let pair = Self.pair(item) else {
                throw field.reporter.malformed(
                    "model.merges[\(rank)] is neither two tokens nor two words in a string")
            }
            guard let left = vocabulary.id(of: pair.left),
                let right = vocabulary.id(of: pair.right),
                let merged = vocabulary.id(of: pair.left + pair.right)
            else {
                throw field.reporter.inconsistent(
                    "model.merges[\(rank)]: \(quoted(pair.left)), \(quoted(pair.right)) or both "
                        + "together are not in model.vocab")
            }
            let merge = MergeTable.Merge(rank: Int32(rank), id: Int32(merged))
            table.insert(Int32(left), Int32(right), merge)
            if !isByteLevel { boundaries.insert(left: pair.left[...], right: pair.right[...]) }
        }
        return (table, boundaries)
    }

    /// `["a", "b"]`, or `"a b"` as older files have it.
    static func pair(_ item: JSONValue) -> (left: [UInt8], right: [UInt8])? {
        switch item {
        case .array(let sides):
            guard sides.count == 2, case .string(let left) = sides[0],
                case .string(let right) = sides[1]
            else { return nil }
            return (left.utf8, right.utf8)
        case .string(let text):
            let words = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
            return words.count == 2 ? (Array(words[0]), Array(words[1])) : nil
        default: return nil
        }
    }
}
