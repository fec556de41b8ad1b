import ArgumentParser
import ChatTemplates
import ModelFiles
import Tokenizers

struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Talk with a model in the terminal.",
        discussion: """
            Each line is one turn; the conversation so far is kept and given to the model in its \
            own chat template. /reset begins a new conversation, /exit or Ctrl-D ends. Ctrl-C \
            stops an answer; at the prompt, or a second time, it ends.

              martlet chat --model M.gguf --system "Be brief." --temperature 0.7
              martlet chat --model M.gguf --local-devices 4
              printf 'Hello\\nAnd now in French\\n' | martlet chat --model M.gguf

            A model without a template gets a built-in one, by the special tokens of its \
            vocabulary; --template takes another.
            """)

    @OptionGroup var model: ModelOption
    @OptionGroup var template: TemplateOption
    @OptionGroup var devices: DeviceOptions
    @OptionGroup var sampling: SamplingArguments

    @Option(help: "A system message, which tells the model how to behave.")
    var system: String?

    @Option(help: "Stop an answer after N tokens.")
    var maxTokens = 512

    @Flag(help: "Print what each answer cost on standard error.")
    var costs = false

    func validate() throws {
        guard maxTokens >= 1 else { throw ValidationError("--max-tokens takes 1 or more") }
    }

    func run() async throws {
        let opened = try model.open()
        let conversation = try Conversation(opened, template: try choose(opened), system: system)
        try await Engine.run(opened, devices) { engine in
            let dealing = Task { await engine.dealToNewcomers() }
            defer { dealing.cancel() }
            // Not earlier: until the devices are there, Ctrl-C ends the command by itself.
            let interrupt = Interrupt()
            var session = ChatSession(
                engine, conversation, sampling: sampling.options, maxTokens: maxTokens,
                costs: costs)
            try await session.run(interrupt)
        }
    }

    private func choose(_ opened: OpenedModel) throws -> ChosenTemplate {
        do {
            return try template.choose(opened.file.tokenizer, of: model.model)
        } catch let error as ChatTemplateError {
            throw CommandError(error.line)
        }
    }
}
