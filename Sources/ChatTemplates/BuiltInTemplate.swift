/// Templates for models that come without one, by the names that people give to these formats.
///
/// All take `messages` with text contents and `add_generation_prompt`. They are our own wording of
/// the formats.
package enum BuiltInTemplate: String, CaseIterable, Sendable {
    /// `<|im_start|>role … <|im_end|>`: Qwen and many others.
    case chatml
    /// `<|start_header_id|>role<|end_header_id|> … <|eot_id|>`: Llama 3.
    case llama3
    /// `[INST] … [/INST]`: Mistral and Mixtral. A system message joins the first user message.
    case mistral
    /// `<start_of_turn>role … <end_of_turn>`: Gemma. As with Mistral for system messages.
    case gemma
    /// `<|role|> … </s>`: Zephyr and TinyLlama.
    case zephyr
    /// `Role: …` in lines of plain text, for models that were trained on no format.
    case plain

    /// The template.
    package var template: ChatTemplate {
        do {
            return try ChatTemplate(source, name: "built-in:\(rawValue)")
        } catch {
            preconditionFailure("A built-in template is well-formed, but: \(error)")
        }
    }

    private var source: String {
        switch self {
        case .chatml: Self.chatmlSource
        case .llama3: Self.llama3Source
        case .mistral: Self.mistralSource
        case .gemma: Self.gemmaSource
        case .zephyr: Self.zephyrSource
        case .plain: Self.plainSource
        }
    }

    private static let chatmlSource = """
        {%- for message in messages %}
            {{- '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\\n' }}
        {%- endif %}
        """

    private static let llama3Source = """
        {{- bos_token }}
        {%- for message in messages %}
            {{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\\n\\n' }}
            {{- message.content | trim ~ '<|eot_id|>' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
        {%- endif %}
        """

    /// Where a format has no system role, its text goes before that of the first user message.
    private static let systemInFirstMessage = """
        {{- bos_token }}
        {%- set ns = namespace(system='') %}
        {%- if messages and messages[0].role == 'system' %}
            {%- set ns.system = messages[0].content ~ '\\n\\n' %}
            {%- set messages = messages[1:] %}
        {%- endif %}

        """

    private static let mistralSource =
        systemInFirstMessage + """
            {%- for message in messages %}
                {%- if message.role == 'assistant' %}
                    {{- ' ' ~ message.content ~ eos_token }}
                {%- else %}
                    {{- '[INST] ' ~ ns.system ~ message.content ~ ' [/INST]' }}
                    {%- set ns.system = '' %}
                {%- endif %}
            {%- endfor %}
            """

    private static let gemmaSource =
        systemInFirstMessage + """
            {%- for message in messages %}
                {%- set role = 'model' if message.role == 'assistant' else message.role %}
                {{- '<start_of_turn>' ~ role ~ '\\n' ~ ns.system ~ message.content | trim }}
                {{- '<end_of_turn>\\n' }}
                {%- set ns.system = '' %}
            {%- endfor %}
            {%- if add_generation_prompt %}
                {{- '<start_of_turn>model\\n' }}
            {%- endif %}
            """

    private static let zephyrSource = """
        {%- for message in messages %}
            {{- '<|' ~ message.role ~ '|>\\n' ~ message.content ~ eos_token ~ '\\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|assistant|>\\n' }}
        {%- endif %}
        """

    private static let plainSource = """
        {%- for message in messages %}
            {{- message.role | capitalize ~ ': ' ~ message.content ~ '\\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- 'Assistant:' }}
        {%- endif %}
        """
}
