import ChatTemplates
import Testing

/// The built-in templates write the formats that their models know.
struct BuiltInTemplateTests {
    private static let context: TemplateObject = [
        "messages": .array([
            .object(["role": .string("system"), "content": .string("Be brief.")]),
            .object(["role": .string("user"), "content": .string("Hi")]),
            .object(["role": .string("assistant"), "content": .string("Yes?")]),
            .object(["role": .string("user"), "content": .string("Why?")]),
        ]),
        "add_generation_prompt": .bool(true),
        "bos_token": .string("<s>"),
        "eos_token": .string("</s>"),
    ]

    private static let expected: [BuiltInTemplate: String] = [
        .chatml: """
        <|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>
        <|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>
        <|im_start|>assistant\n
        """,
        .llama3: "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
            + "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|>"
            + "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\n",
        .mistral: "<s>[INST] Be brief.\n\nHi [/INST] Yes?</s>[INST] Why? [/INST]",
        .gemma: "<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n"
            + "<start_of_turn>model\nYes?<end_of_turn>\n<start_of_turn>user\nWhy?<end_of_turn>\n"
            + "<start_of_turn>model\n",
        .zephyr: "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nYes?</s>\n"
            + "<|user|>\nWhy?</s>\n<|assistant|>\n",
        .plain: "System: Be brief.\nUser: Hi\nAssistant: Yes?\nUser: Why?\nAssistant:",
    ]

    @Test(arguments: BuiltInTemplate.allCases)
    func writesTheFormat(builtIn: BuiltInTemplate) throws {
        let text = try builtIn.template.render(Self.context, now: TemplateFixtures.now)
        #expect(text == Self.expected[builtIn])
    }

    @Test func fitsTheTokensOfAVocabulary() {
        let cases: [(tokens: Set<String>, template: BuiltInTemplate)] = [
            (["<|endoftext|>", "<|im_start|>", "<|im_end|>"], .chatml),
            (["<|start_header_id|>", "<|eot_id|>"], .llama3), (["[INST]", "[/INST]"], .mistral),
            (["<start_of_turn>"], .gemma), (["<|user|>", "<|assistant|>"], .zephyr),
            (["<s>", "</s>"], .plain), ([], .plain),
        ]
        for (tokens, template) in cases {
            #expect(BuiltInTemplate.fitting(hasToken: tokens.contains) == template, "\(tokens)")
        }
    }
}
