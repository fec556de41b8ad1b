/// The pre-tokenizers that GGUF files name, with the splits of the models they come from.
///
/// The names are llama.cpp's; each expression is the one of the model's own `tokenizer.json`.
enum GGUFPreTokenizers {
    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let words = #"[^\r\n\p{L}\p{N}]?\p{L}+"#
    private static let symbols = #" ?[^\s\p{L}\p{N}]+[\r\n]*"#
    private static let spaces = #"\s*[\r\n]+|\s+(?!\S)|\s+"#
    /// A word that begins in capitals, or consists of them.
    private static let casedWords = (
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#,
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
    )
    private static let slashSymbols = #" ?[^\s\p{L}\p{N}]+[\r\n/]*"#

    private static let llama3 = [#"\#(contractions)|\#(words)|\p{N}{1,3}|\#(symbols)|\#(spaces)"#]
    private static let qwen2 = [#"\#(contractions)|\#(words)|\p{N}|\#(symbols)|\#(spaces)"#]
    private static let qwen35 = [
        #"\#(contractions)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"#
            + #"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\#(spaces)"#
    ]
    private static let o200k = [
        "\(casedWords.0)\(contractions)?|\(casedWords.1)\(contractions)?"
            + #"|\p{N}{1,3}|\#(slashSymbols)|\#(spaces)"#
    ]
    private static let tekken = [
        #"\#(casedWords.0)|\#(casedWords.1)|\p{N}|\#(slashSymbols)|\#(spaces)"#
    ]
    private static let deepSeekV3 = [
        #"\p{N}{1,3}"#,
        "[一-龥぀-ゟ゠-ヿ]+",
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"##
            + #"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"# + spaces,
    ]
    private static let deepSeekCoder = [
        #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥ࠀ-一가-\u{D7FF}]+", #"\p{N}"#,
    ]
    private static let deepSeekLLM = [
        #"[\r\n]"#,
        #"\s?["# + latinAndCased + "]+",
        #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#,
        #"\s+$"#,
        "[一-龥ࠀ-一가-\u{D7FF}]+",
        #"\p{N}+"#,
    ]
    private static let latinAndCased = """
        A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ\
        Ḁ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼ\u{1FBE}ῂ-ῄῆ-ῌῐ-\u{1FD3}ῖ-\u{1FDB}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\
        \u{2126}ℨ\u{212A}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ\
        𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃
        """
    private static let gpt2 = [PreTokenizerReader.gpt2]
    private static let digitsThenGPT2 = [#"\p{N}"#, PreTokenizerReader.gpt2]

    /// A pre-tokenizer: expressions that cut one after the other, and whether a piece that is a token
    /// as a whole stays whole.
    struct Entry: Sendable {
        let expressions: [String]
        var ignoresMerges = false
        /// Whether text is brought to normalization form C first.
        var isComposed = false
    }

    static let entries: [String: Entry] = {
        var entries: [String: Entry] = [:]
        func add(_ names: [String], _ entry: Entry) {
            for name in names { entries[name] = entry }
        }
        add(
            ["llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral"],
            Entry(expressions: llama3, ignoresMerges: true))
        add(["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"], Entry(expressions: llama3))
        add(["qwen2"], Entry(expressions: qwen2, isComposed: true))
        add(["qwen35"], Entry(expressions: qwen35, isComposed: true))
        add(["stablelm2", "hunyuan", "grok-2"], Entry(expressions: qwen2))
        add(["gpt-4o", "llama4"], Entry(expressions: o200k))
        add(["tekken"], Entry(expressions: tekken, ignoresMerges: true))
        add(["deepseek-v3"], Entry(expressions: deepSeekV3))
        add(["deepseek-llm"], Entry(expressions: deepSeekLLM))
        add(["deepseek-coder"], Entry(expressions: deepSeekCoder))
        add(
            ["gpt-2", "phi-2", "jina-es", "jina-de", "mpt", "olmo", "jais"],
            Entry(expressions: gpt2))
        add(
            ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"],
            Entry(expressions: digitsThenGPT2))
        return entries
    }()
}
