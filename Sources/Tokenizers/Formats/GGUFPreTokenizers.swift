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
    /// The letters with case that DeepSeek lists, by code point: some have canonical equivalents,
    /// which editors like to put in their place.
    private static let latinAndCased = [
        #"\x{41}-\x{5A}\x{61}-\x{7A}\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}"#,
        #"\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}"#,
        #"\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}"#,
        #"\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}"#,
        #"\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}"#,
        #"\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}"#,
        #"\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}"#,
        #"\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}"#,
        #"\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}"#,
        #"\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}"#,
        #"\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}"#,
        #"\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}"#,
        #"\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}"#,
        #"\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}"#,
        #"\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}"#,
        #"\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}"#,
        #"\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}"#,
    ].joined()
    private static let gpt2 = [PreTokenizerReader.gpt2]
    private static let digitsThenGPT2 = [#"\p{N}"#, PreTokenizerReader.gpt2]

    /// A pre-tokenizer: expressions that cut one after the other, and whether a piece that is a
    /// token as a whole stays whole.
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
