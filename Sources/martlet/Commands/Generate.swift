import ArgumentParser
import MoEModel
import Synchronization
import SystemModel
import Tokenizers

struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a prompt.",
        discussion: """
            The answer streams to standard output, sums of what it cost follow on standard error.

              martlet generate --model M.gguf --prompt "The quick brown" --max-tokens 32
              martlet generate --model M.gguf --ids 1,2,3 --json
              martlet generate --model M.gguf --prompt "Once" --local-devices 4 --costs
            """)

    @OptionGroup var model: ModelOption
    @OptionGroup var devices: DeviceOptions
    @OptionGroup var sampling: SamplingArguments

    @Option(help: "Text to continue. BOS is put before it if the model asks for that.")
    var prompt: String?

    @Option(help: "Token ids to continue, as 1,2,3; taken as they are.")
    var ids: String?

    @Option(help: "Stop after N new tokens; the model's end-of-text token stops earlier.")
    var maxTokens = 64

    @Option(
        help: """
            Guess up to N tokens ahead from the text itself and verify them in one pass; the \
            answer stays the same.
            """
    )
    var draft = 0

    @Flag(help: "Fetch the next layer's likely experts from disk while a layer computes.")
    var prefetch = false

    @Flag(help: "Print what each token cost, device by device, on standard error.")
    var costs = false

    @Flag(help: "Print one JSON object: ids, tokens, text, costs.")
    var json = false

    func validate() throws {
        guard (prompt == nil) != (ids == nil) else {
            throw ValidationError("give either --prompt or --ids")
        }
        guard draft >= 0 && draft <= 64 else {
            throw ValidationError("--draft takes 0 to 64")
        }
        guard maxTokens >= 0 else { throw ValidationError("--max-tokens takes 0 or more") }
    }

    func run() async throws {
        let opened = try model.open()
        let tokenizer = try opened.tokenizer()
        let ids = try promptIDs(tokenizer)
        try opened.check(ids)
        let answer = Answer(tokenizer, shows: json ? .nothing : .text, costs: costs)
        try await Engine.run(opened, devices, prefetches: prefetch) { engine in
            try await engine.generate(
                ids, limit: maxTokens, sampling: sampling.options,
                stop: tokenizer.endOfTextIDs, longestDraft: draft, onToken: answer.add)
        }
        let result = answer.finish()
        guard json else {
            Output.write("\n")
            Output.note(result.cost.report)
            if let prediction = answer.prediction { Output.note(prediction.line) }
            return
        }
        try Output.json(
            Result(
                ids: ids, tokens: result.tokens, text: result.text,
                costs: CostSummary(result.cost), layerPrediction: answer.prediction))
    }

    private struct Result: Encodable {
        let ids: [Int]
        let tokens: [Int]
        let text: String
        let costs: CostSummary
        let layerPrediction: LayerPrediction?
    }

    private func promptIDs(_ tokenizer: Tokenizer) throws -> [Int] {
        if let prompt { return tokenizer.promptIDs(prompt) }
        return try (ids ?? "").split(separator: ",", omittingEmptySubsequences: false).map {
            guard let id = Int($0.trimmingPrefix { $0 == " " }) else {
                throw CommandError("--ids: \"\($0)\" is not a whole number")
            }
            return id
        }
    }
}

extension Tokenizer {
    /// A prompt's ids, with the begin-of-text token if the model asks for it.
    func promptIDs(_ prompt: String) -> [Int] {
        let begin = addsBeginOfText ? beginOfTextID.map { [$0] } ?? [] : []
        return begin + encode(prompt)
    }
}

/// An answer as it grows: tokens, text and costs.
final class Answer: Sendable {
    /// What appears on standard output meanwhile.
    enum Shown {
        case nothing
        case text
        /// One JSON object a token.
        case lines
    }

    private struct Line: Encodable {
        let token: Int
        let text: String
    }

    private struct State {
        var decoder: StreamDecoder
        var tokens: [Int] = []
        var text = ""
        var cost = CostRecord()
        var layerTimes: [CostRecord.LayerTime] = []
    }

    private let state: Mutex<State>
    private let shows: Shown
    private let costs: Bool

    init(_ tokenizer: Tokenizer, shows: Shown, costs: Bool) {
        state = Mutex(
            State(decoder: StreamDecoder(tokenizer, skippingSpecialTokens: false)))
        self.shows = shows
        self.costs = costs
    }

    func add(_ token: Generation.Token) throws {
        let text = state.withLock { state in
            let text = state.decoder.append(token.id)
            state.tokens.append(token.id)
            state.text += text
            state.cost.add(token.cost)
            state.layerTimes += token.cost.layerTimes
            return text
        }
        switch shows {
        case .nothing: break
        case .text: Output.write(text)
        case .lines: try Output.json(Line(token: token.id, text: text))
        }
        if costs { Output.note(token.cost.line) }
    }

    /// How well layers' times were foreseen; nil where none waited for a device.
    var prediction: LayerPrediction? { LayerPrediction(state.withLock { $0.layerTimes }) }

    func finish() -> (tokens: [Int], text: String, cost: CostRecord) {
        state.withLock { state in
            let rest = state.decoder.finish()
            if case .text = shows { Output.write(rest) }
            state.text += rest
            return (state.tokens, state.text, state.cost)
        }
    }
}
