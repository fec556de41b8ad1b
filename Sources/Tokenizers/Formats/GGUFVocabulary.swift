/// What a GGUF file says of its tokenizer (`tokenizer.ggml.*`), as the file has it.
package struct GGUFVocabulary: Sendable {
    /// `tokenizer.ggml.model`: "gpt2" (byte-level BPE) or "llama" (SentencePiece BPE).
    package var model: String
    /// `tokenizer.ggml.pre`: the name of the pre-tokenizer; nil where it is absent.
    package var preTokenizer: String?
    /// Tokens by id, as UTF-8 bytes.
    package var tokens: [[UInt8]]
    /// `TokenType` raw values by id; empty where absent: all normal.
    package var tokenTypes: [Int] = []
    /// Scores by id, needed by "llama".
    package var scores: [Float] = []
    /// Merges "left right" by rank, needed by "gpt2".
    package var merges: [[UInt8]] = []
    package var beginOfTextID: Int?
    package var endOfTextID: Int?
    /// End of turn, where it differs from the end of text.
    package var endOfTurnID: Int?
    package var unknownID: Int?
    package var padID: Int?
    /// `add_bos_token`; nil where absent: yes for "llama", no for "gpt2".
    package var addsBeginOfText: Bool?
    package var addsEndOfText: Bool?
    /// `add_space_prefix`; nil where absent: yes for "llama".
    package var addsSpacePrefix: Bool?
    /// The file's name, for error messages.
    package var file: String

    /// What kind of token an id is (`llama_token_type`).
    package enum TokenType: Int, Sendable {
        case normal = 1, unknown, control, userDefined, unused, byte
    }

    /// - Parameters:
    ///   - model: "gpt2" or "llama"; others are refused when the tokenizer is made.
    ///   - tokens: by id, UTF-8.
    ///   - file: the file's name, for error messages.
    package init(model: String, preTokenizer: String?, tokens: [[UInt8]], file: String) {
        self.model = model
        self.preTokenizer = preTokenizer
        self.tokens = tokens
        self.file = file
    }
}
