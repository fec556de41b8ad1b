/// A chat template: the program, shipped with a model, that turns a conversation into the text
/// that the model was trained on.
///
/// The language is Jinja with the settings and functions of Hugging Face transformers: blocks trim
/// and strip their lines, `break`, `continue` and `generation` exist, lists and dictionaries cannot
/// be changed. What a template does is bounded by ``TemplateLimits``; it reaches no file, clock or
/// network.
///
/// ```swift
/// let template = try ChatTemplate(source, name: "model/tokenizer_config.json")
/// let text = try template.render(
///     ["messages": messages, "add_generation_prompt": .bool(true)], now: now)
/// ```
package struct ChatTemplate: Sendable {
    /// What error messages call the template.
    package let name: String
    /// The source as given.
    package let source: String
    private let program: Program

    /// Reads a template.
    ///
    /// - Throws: `syntax`, `assertion` (an unknown filter or test), `unsupported` or `limit`.
    /// - Complexity: O(length of the source).
    package init(_ source: String, name: String) throws(ChatTemplateError) {
        self.name = name
        self.source = source
        do {
            program = try Parser.program(of: source)
        } catch {
            throw Self.error(error, name: name, line: 1)
        }
    }

    /// The text of a conversation.
    ///
    /// - Parameters:
    ///   - context: what the template can read, usually `messages`, `tools`,
    ///     `add_generation_prompt`, `bos_token` and `eos_token`.
    ///   - now: what `strftime_now` tells.
    /// - Throws: `raised` when the template refuses the conversation; else what went wrong in it.
    /// - Complexity: bounded by ``TemplateLimits/work``.
    package func render(
        _ context: TemplateObject, now: CivilTime
    ) throws(ChatTemplateError) -> String {
        var line = 1
        do {
            let interpreter = try Interpreter(program, context, now: now)
            defer { line = interpreter.line }
            return try interpreter.render()
        } catch {
            throw Self.error(error, name: name, line: line)
        }
    }

    private static func error(_ error: any Error, name: String, line: Int) -> ChatTemplateError {
        guard let failure = error as? Failure else {
            preconditionFailure("The interpreter throws only failures, not \(error).")
        }
        return ChatTemplateError(
            code: failure.code, message: failure.message, template: name,
            line: failure.line ?? line)
    }
}
