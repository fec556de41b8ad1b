import ArgumentParser
import ChatTemplates
import Foundation
import ModelFiles

struct Template: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a conversation as the model's chat template does.",
        discussion: """
            Standard input is one JSON object. "messages" are given to the template with \
            "tools", "add_generation_prompt" and every other key; "now" is what the template \
            takes for the time, "bos_token" and "eos_token" stand for the model's own. Where the \
            template refuses the conversation, its message is the error.

              echo '{"messages": [{"role": "user", "content": "Hi"}]}' \
            | martlet template --model M.gguf
              martlet template --model FOLDER --template chatml --json < conversation.json
              martlet template --model chat_template.jinja --json < conversation.json
            """)

    @Option(help: "A GGUF file, a Hugging Face folder (weights may be absent) or a .jinja file.")
    var model: String

    @OptionGroup var template: TemplateOption

    @Flag(help: "Print one JSON object: text.")
    var json = false

    func run() throws {
        let (chosen, defaults) = try open()
        var context = defaults
        let given = try request()
        for (key, value) in zip(given.keys, given.values) where key != "now" {
            context[key] = value
        }
        let now = try time(given["now"])
        let text: String
        do {
            text = try chosen.template.render(context, now: now)
        } catch {
            throw CommandError(error.line)
        }
        guard json else { return Output.write(text) }
        try Output.json(["text": text])
    }

    /// The template, and what it sees if the input does not say otherwise.
    private func open() throws -> (ChosenTemplate, TemplateObject) {
        // As in transformers, both exist even where they are not given.
        var context: TemplateObject = ["tools": .null, "documents": .null]
        do {
            if model.hasSuffix(".jinja") {
                let own = template.template ?? model
                return (try ChosenTemplate(named: own), context)
            }
            let source = try TokenizerSource.open(model)
            if let begin = source.beginOfTextToken { context["bos_token"] = .string(begin) }
            if let end = source.endOfTextToken { context["eos_token"] = .string(end) }
            return (try template.choose(source, of: model), context)
        } catch let error as ChatTemplateError {
            throw CommandError(error.line)
        }
    }

    private func request() throws -> TemplateObject {
        let input = try FileHandle.standardInput.readToEnd() ?? Data()
        let value: TemplateValue
        do {
            value = try TemplateValue(json: [UInt8](input))
        } catch {
            throw CommandError("standard input: \(error)")
        }
        guard case .object(let object) = value, case .array? = object["messages"] else {
            throw CommandError("standard input: is not {\"messages\": [MESSAGE, …], …}")
        }
        return object
    }

    private func time(_ value: TemplateValue?) throws -> CivilTime {
        guard let value, value != .null else { return .local }
        guard case .string(let text) = value, let time = CivilTime(text) else {
            throw CommandError("standard input: \"now\" is not a time such as 2026-01-15T09:30:00")
        }
        return time
    }
}
