import StructuredOutput
import Tokenizers

/// How a model writes calls of functions.
package enum ToolCallFormat: Sendable, CaseIterable {
    /// Hermes and Qwen: JSON objects between `<tool_call>` and `</tool_call>`.
    case hermes
    /// Llama 3: the whole answer is one JSON object with `name` and `parameters`.
    case llama3
    /// Mistral: an array of JSON objects behind `[TOOL_CALLS]`.
    case mistral
    /// DeepSeek V3.1: name and arguments between tokens of their own.
    case deepSeek
    /// Kimi K2: likewise, each name with a number.
    case kimi

    /// The format that a chat template tells the model of; nil if it is none of these.
    ///
    /// Only what cannot be mistaken is recognised: GLM writes arguments as XML between the same
    /// marks as Hermes, older DeepSeek models and newer Mistral ones have other forms.
    package init?(template: String) {
        if template.contains("<|tool_calls_section_begin|>") {
            self = .kimi
        } else if template.contains("<｜tool▁calls▁begin｜>") {
            guard !template.contains("```json") else { return nil }
            self = .deepSeek
        } else if template.contains("[TOOL_CALLS]") {
            guard template.contains("[AVAILABLE_TOOLS]"), !template.contains("[ARGS]") else {
                return nil
            }
            self = .mistral
        } else if template.contains("<tool_call>") {
            guard template.contains("\"arguments\""), !template.contains("<arg_key>"),
                !template.contains("<function=")
            else { return nil }
            self = .hermes
        } else if template.contains("<|python_tag|>"), template.contains("\"parameters\": ") {
            self = .llama3
        } else {
            return nil
        }
    }

    /// What begins a call.
    var start: String {
        switch self {
        case .hermes: "<tool_call>"
        case .llama3: "<|python_tag|>"
        case .mistral: "[TOOL_CALLS]"
        case .deepSeek: "<｜tool▁call▁begin｜>"
        case .kimi: "<|tool_call_begin|>"
        }
    }

    /// What ends a call, behind its arguments.
    var end: String {
        switch self {
        case .hermes: "</tool_call>"
        case .llama3, .mistral: "}"
        case .deepSeek: "<｜tool▁call▁end｜>"
        case .kimi: "<|tool_call_end|>"
        }
    }

    /// Marks around all calls, which are no text.
    var frame: [String] {
        switch self {
        case .hermes, .llama3, .mistral: []
        case .deepSeek: ["<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"]
        case .kimi: ["<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"]
        }
    }

    /// What stands between name and arguments where a call is not JSON.
    var separator: String? {
        switch self {
        case .hermes, .llama3, .mistral: nil
        case .deepSeek: "<｜tool▁sep｜>"
        case .kimi: "<|tool_call_argument_begin|>"
        }
    }

    /// Whether an answer can have several calls.
    var allowsSeveral: Bool { self != .llama3 }

    /// Whether a call's end can be told from other text, so that the answer can stop there.
    var hasCertainEnd: Bool { self != .llama3 && self != .mistral }

    private var marks: [String] { [start, end] + frame + (separator.map { [$0] } ?? []) }

    /// Whether a mark is a special token, which is left out of texts unless it is asked for.
    func needsSpecialTokens(_ tokenizer: Tokenizer) -> Bool {
        marks.contains { tokenizer.id(ofToken: $0).map(tokenizer.isSpecial) ?? false }
    }

    /// The form of an answer that is nothing but calls.
    ///
    /// - Parameters:
    ///   - functions: names, and the grammars of their arguments.
    ///   - most: how many calls.
    func form(
        _ functions: [(name: String, arguments: Grammar)], most: Int, _ tokenizer: Tokenizer
    ) -> AnswerForm {
        func parts(_ text: String) -> [AnswerForm.Part] { self.parts(text, tokenizer) }
        var form = AnswerForm()
        form.most = allowsSeveral ? most : 1
        form.alternatives = functions.map { name, arguments in
            switch self {
            case .hermes:
                parts("<tool_call>\n{\"name\": \"\(name)\", \"arguments\": ") + [.value(arguments)]
                    + parts("}\n</tool_call>")
            case .llama3:
                parts("{\"name\": \"\(name)\", \"parameters\": ") + [.value(arguments)]
                    + parts("}")
            case .mistral:
                parts("{\"name\": \"\(name)\", \"arguments\": ") + [.value(arguments)]
                    + parts("}")
            case .deepSeek:
                parts(start + name + (separator ?? "")) + [.value(arguments)] + parts(end)
            case .kimi:
                parts("\(start)functions.\(name):") + [.digits] + parts(separator ?? "")
                    + [.value(arguments)] + parts(end)
            }
        }
        switch self {
        case .hermes: form.separator = parts("\n")
        case .llama3: break
        case .mistral:
            (form.opening, form.separator) = (parts("[TOOL_CALLS]["), parts(", "))
            form.closing = parts("]")
        case .deepSeek, .kimi:
            (form.opening, form.closing) = (parts(frame[0]), parts(frame[1]))
        }
        return form
    }

    /// A text whose marks are tokens where the vocabulary has special ones for them.
    private func parts(_ text: String, _ tokenizer: Tokenizer) -> [AnswerForm.Part] {
        for mark in marks {
            guard let id = tokenizer.id(ofToken: mark), tokenizer.isSpecial(id),
                let place = text.firstRange(of: mark)
            else { continue }
            return parts(String(text[..<place.lowerBound]), tokenizer) + [.token(id)]
                + parts(String(text[place.upperBound...]), tokenizer)
        }
        return text.isEmpty ? [] : [.text(text)]
    }
}
