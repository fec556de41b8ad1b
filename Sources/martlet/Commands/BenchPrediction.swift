import ArgumentParser
import Calibration
import Foundation
import MoEModel
import Planning
import SystemModel

struct BenchPrediction: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prediction",
        abstract: "Measure how well the next layer's experts are foreseen.",
        discussion: """
            Recall at m is the share of visited experts that are among the first m of a \
            prediction: by the next layer's router applied to this layer's inputs (gate, what \
            --prefetch uses), by a profile's transitions from layer to layer, and by its \
            frequencies alone. Use windows that the profile has not seen.

              martlet calibrate --model M.gguf --file T.txt --windows 40 --output P.db
              martlet bench prediction --model M.gguf --file T.txt --skip 40 --profile P.db
            """)

    @OptionGroup var model: ModelOption

    @Option(help: "A UTF-8 text.")
    var file: String

    @Option(help: "The model's profile, of `martlet calibrate`.")
    var profile: String

    @Option(help: "Ids per window.")
    var context = 256

    @Option(help: "Most windows of the text to use.")
    var windows = 20

    @Option(help: "Windows of the text to leave out at its start.")
    var skip = 0

    @Option(help: "The largest m; default: twice the experts per token.")
    var depth: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard context >= 2, windows >= 1, skip >= 0, depth.map({ $0 >= 1 }) ?? true else {
            throw ValidationError(
                "--context takes 2 or more, --windows and --depth 1 or more, --skip 0 or more")
        }
    }

    func run() throws {
        let opened = try model.open()
        guard let experts = opened.model.configuration.experts else {
            throw CommandError("\(model.model): has no experts to foresee")
        }
        let layers = opened.model.configuration.layers
        let known = try ProfileDatabase(path: profile).profile()
        guard known.layers.count == layers,
            known.layers.allSatisfy({ $0.experts.isEmpty || $0.experts.count == experts.count })
        else { throw CommandError("\(profile): is of another model") }
        let depth = min(depth ?? 2 * experts.perToken, experts.count)
        let texts = try opened.windows(of: file, length: context, skip: skip, limit: windows)
        let result = try PredictionRun(opened.model, profile: known).run(texts, depth: depth)
        try show(result, layers: layers, depth: depth, perToken: experts.perToken)
    }

    private struct Ways<Value: Encodable>: Encodable {
        let gate: Value
        let transitions: Value
        let frequency: Value
    }

    private struct Report: Encodable {
        struct Layer: Encodable {
            let layer: Int
            /// `[m - 1]`
            let recall: Ways<[Double]>
        }

        let expertsPerToken: Int
        /// Over all layers, `[m - 1]`.
        let recall: Ways<[Double]>
        let layers: [Layer]
    }

    private func show(
        _ result: PredictionRun.Result, layers: Int, depth: Int, perToken: Int
    ) throws {
        func ways(_ recall: (PredictionRecall, Int) -> Double?) -> Ways<[Double]> {
            func all(_ way: PredictionRecall) -> [Double] {
                (1...depth).compactMap { recall(way, $0) }
            }
            return Ways(
                gate: all(result.gate), transitions: all(result.transitions),
                frequency: all(result.frequency))
        }
        let report = Report(
            expertsPerToken: perToken, recall: ways { $0.recall(at: $1) },
            layers: (0..<layers).filter { result.gate.visits[$0] > 0 }.map { layer in
                Report.Layer(layer: layer, recall: ways { $0.recall(layer: layer, at: $1) })
            })
        guard !json else { return try Output.json(report) }
        Output.line("recall at \(perToken) and \(depth):  gate          transitions   frequency")
        for layer in report.layers {
            line(String(format: "layer %-3d", layer.layer), layer.recall, perToken, depth)
        }
        line("all", report.recall, perToken, depth)
    }

    private func line(_ name: String, _ recall: Ways<[Double]>, _ few: Int, _ many: Int) {
        let cells = [recall.gate, recall.transitions, recall.frequency].map { values in
            values.count < many
                ? "-             "
                : String(format: "%.3f  %.3f  ", values[few - 1], values[many - 1])
        }
        Output.line(name.padding(toLength: 18, withPad: " ", startingAt: 0) + cells.joined())
    }
}
