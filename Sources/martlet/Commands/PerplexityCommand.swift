import ArgumentParser
import Foundation
import MoEModel
import SystemModel
import Tokenizers

struct PerplexityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perplexity",
        abstract: "Measure how well a model predicts a text.",
        discussion: """
            The text is one stream of ids without BOS, cut into windows; a last partial window is \
            dropped. In each window positions from --score-from on are scored. Lower is better.

              martlet perplexity --model M.gguf --file book.txt --context 256
              martlet perplexity --model M.gguf --file book.txt --score-from 128   # as llama.cpp
            """)

    @OptionGroup var model: ModelOption
    @OptionGroup var devices: DeviceOptions

    @Option(help: "A UTF-8 text.")
    var file: String

    @Option(help: "Ids per window.")
    var context = 256

    @Option(help: "First scored position of a window, at least 1.")
    var scoreFrom = 1

    @Flag(
        help: """
            Print one JSON object: tokens, perplexity, nll (nats), accuracy, costs; and with \
            devices their layers' times.
            """)
    var json = false

    func validate() throws {
        guard context >= 2, (1..<context).contains(scoreFrom) else {
            throw ValidationError("--context takes 2 or more, --score-from 1 to the context less 1")
        }
    }

    func run() async throws {
        let opened = try model.open()
        guard context <= opened.model.configuration.contextLength else {
            throw CommandError(
                "--context: \(context) is more than the model's context of "
                    + "\(opened.model.configuration.contextLength)")
        }
        let windows = try windows(of: try opened.tokenizer().encode(bytes: try readFile()))
        let (result, cost, layers) = try await Engine.run(opened, devices) { engine in
            var result = Perplexity()
            var cost = CostRecord()
            var layers: [CostRecord.LayerTime] = []
            for (number, ids) in windows.enumerated() {
                result.score(ids: ids, logits: try await engine.logits(ids), from: scoreFrom)
                let step = try await engine.takeCosts()
                cost.add(step)
                layers += step.layerTimes
                if number % 16 == 15 {
                    Output.note(
                        "window \(number + 1) of \(windows.count): perplexity "
                            + String(format: "%.3f", result.perplexity))
                }
            }
            return (result, cost, layers)
        }
        try show(result, cost, LayerPrediction(layers))
    }

    private struct Result: Encodable {
        let tokens: Int
        let perplexity: Double
        let nll: Double
        let accuracy: Double
        let costs: CostSummary
        let layerPrediction: LayerPrediction?
    }

    private func show(
        _ result: Perplexity, _ cost: CostRecord, _ prediction: LayerPrediction?
    ) throws {
        guard json else {
            Output.line(
                String(
                    format: "perplexity %.4f, nll %.5f nats, accuracy %.4f over %d tokens",
                    result.perplexity, result.mean, result.accuracy, result.tokens))
            if let selection = cost.selection { Output.note(selection.line) }
            if let prediction { Output.note(prediction.line) }
            return
        }
        try Output.json(
            Result(
                tokens: result.tokens, perplexity: result.perplexity, nll: result.mean,
                accuracy: result.accuracy, costs: CostSummary(cost),
                layerPrediction: prediction))
    }

    private func readFile() throws -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(filePath: file)))
        } catch {
            throw CommandError("\(file): cannot be read: \(CommandError.reason(error))")
        }
    }

    private func windows(of ids: [Int]) throws -> [[Int]] {
        let count = ids.count / context
        guard count > 0 else {
            throw CommandError("\(file): has \(ids.count) ids, one window needs \(context)")
        }
        return (0..<count).map { Array(ids[$0 * context..<($0 + 1) * context]) }
    }
}
