import ChatTemplates
import MoEModel
import ModelFiles
import Tokenizers

/// What was said so far, and how the model reads it.
struct Conversation {
    let tokenizer: Tokenizer
    /// The tokens that end an answer.
    let stop: Set<Int>
    private let template: ChosenTemplate
    private let contextLength: Int
    /// What the template sees besides the messages.
    private let context: TemplateObject
    private let opening: [TemplateValue]
    private var messages: [TemplateValue]

    /// - Parameter system: the text of a system message that opens the conversation, if any.
    init(_ opened: OpenedModel, template: ChosenTemplate, system: String?) throws {
        let tokenizer = try opened.tokenizer()
        self.tokenizer = tokenizer
        self.template = template
        contextLength = opened.model.configuration.contextLength
        stop = tokenizer.turnEndIDs.union(opened.file.tokenizer.endOfTextIDs)
        context = Self.context(opened.file.tokenizer, tokenizer)
        opening = system.map { [Self.message("system", $0)] } ?? []
        messages = opening
    }

    /// The ids that the model continues with its answer to `question`, and how many more fit.
    ///
    /// - Throws: `CommandError` if the template refuses the conversation or it is too long.
    func ids(asking question: String) throws -> (ids: [Int], room: Int) {
        let ids = try ids([
            "messages": .array(messages + [Self.message("user", question)])
        ])
        let room = contextLength - ids.count
        guard room > 0 else {
            throw CommandError(
                "the conversation has \(ids.count) tokens, more than the model's context of "
                    + "\(contextLength) holds; /reset begins a new one")
        }
        return (ids, room)
    }

    /// The ids that the model continues with its answer to any conversation.
    ///
    /// - Parameter said: `messages`, and what else the template is to see.
    /// - Throws: `CommandError` if the template refuses.
    func ids(_ said: TemplateObject) throws -> [Int] {
        var context = context
        for (key, value) in zip(said.keys, said.values) { context[key] = value }
        do {
            let text = try template.template.render(context, now: .local)
            return opened(tokenizer.encode(text))
        } catch {
            throw CommandError(error.line)
        }
    }

    mutating func add(question: String, answer tokens: [Int]) {
        messages.append(Self.message("user", question))
        messages.append(Self.message("assistant", said(tokens)))
    }

    mutating func reset() {
        messages = opening
    }

    /// A template from a file writes the begin-of-text token where it belongs; built-in ones
    /// serve models that want it and models that do not.
    private func opened(_ ids: [Int]) -> [Int] {
        guard template.builtIn != nil, tokenizer.addsBeginOfText,
            let begin = tokenizer.beginOfTextID, ids.first != begin
        else { return ids }
        return [begin] + ids
    }

    /// The text of an answer. Where it comes in channels (gpt-oss), the last one's text: templates
    /// want no other.
    private func said(_ tokens: [Int]) -> String {
        var tokens = tokens[...]
        if let mark = tokenizer.id(ofToken: "<|message|>"), tokenizer.isSpecial(mark),
            let last = tokens.lastIndex(of: mark)
        {
            tokens = tokens[(last + 1)...]
        }
        return tokenizer.decode(Array(tokens), skippingSpecialTokens: true)
    }

    private static func message(_ role: String, _ text: String) -> TemplateValue {
        .object(["role": .string(role), "content": .string(text)])
    }

    private static func context(
        _ source: TokenizerSource, _ tokenizer: Tokenizer
    ) -> TemplateObject {
        var context: TemplateObject = [
            "tools": .null, "documents": .null, "add_generation_prompt": .bool(true),
        ]
        let begin = source.beginOfTextToken ?? tokenizer.beginOfTextID.map(tokenizer.text)
        if let begin { context["bos_token"] = .string(begin) }
        let end = source.endOfTextToken ?? tokenizer.endOfTextIDs.min().map(tokenizer.text)
        if let end { context["eos_token"] = .string(end) }
        return context
    }
}

extension Tokenizer {
    /// The tokens that end an answer in a conversation.
    fileprivate var turnEndIDs: Set<Int> {
        let known = BuiltInTemplate.turnEnds.compactMap { id(ofToken: $0) }
        return endOfTextIDs.union(known.filter(isSpecial))
    }

    fileprivate func text(of id: Int) -> String {
        decode([id], skippingSpecialTokens: false)
    }
}
