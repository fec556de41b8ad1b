extension BuiltInTemplate {
    /// Tokens that only models of a format have, the most telling first (ours, from published
    /// vocabularies).
    private static let marks: [(token: String, template: BuiltInTemplate)] = [
        ("<|im_start|>", .chatml), ("<|start_header_id|>", .llama3), ("<start_of_turn>", .gemma),
        ("[INST]", .mistral), ("<|assistant|>", .zephyr),
    ]

    /// The template whose tokens a vocabulary has; `plain` where it has none of any.
    ///
    /// - Parameter hasToken: whether the vocabulary has a token that is spelled exactly so.
    package static func fitting(hasToken: (String) -> Bool) -> BuiltInTemplate {
        marks.first { hasToken($0.token) }?.template ?? .plain
    }

    /// Tokens that end a turn in some format. Many published files name only the end of the text
    /// as the end of an answer, so that a model would go on with the next speaker's turn.
    package static let turnEnds = [
        "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<|endoftext|>", "</s>",
        "<|return|>", "<|call|>",
    ]
}
