import ArgumentParser
import Foundation
import MoEModel
import Planning
import Scenarios
import Simulator
import SystemModel

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a text through a model whose experts are spread over a simulated cell.",
        discussion: """
            Routing and quality are the model's own; latency and energy follow from the scenario's \
            radio, devices and emulated sizes. Each window of the text is a sequence of its own \
            with its own channel draw. modelSeconds is the mean layer time of the scenario's \
            devices times the scenario's layers, joules likewise; the dense part is not in them. \
            With speeds in the scenario channels change from layer to layer.

              martlet simulate Scenarios/reference.yaml --model M.gguf --file T.txt \
            --policy wdmoe --bandwidth minmax
            """)

    @Argument(help: "A scenario, YAML.")
    var scenario: String

    @OptionGroup var model: ModelOption
    @OptionGroup var planning: PlanningOptions

    @Option(help: "A UTF-8 text.")
    var file: String

    @Option(help: "Replaces the scenario's seed.")
    var seed: UInt64?

    @Option(help: "Most windows of the text to run.")
    var windows = Int.max

    @Option(help: "Decode token by token, N windows side by side, a channel draw for each step.")
    var decode: Int?

    @Option(
        help: """
            Where devices move: seconds between the reports of channels that the planner sees; 0: \
            it sees them as they are.
            """)
    var reportInterval = 0.0

    @Flag(
        help: """
            priced at --seconds-per-loss: also say how much layer time another choice of the same \
            estimated loss could save at most; slow.
            """)
    var bound = false

    @Option(help: "Write one line per window, layer and device to this CSV file.")
    var trace: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard windows >= 1 else { throw ValidationError("--windows takes 1 or more") }
        guard decode.map({ 1...1_024 ~= $0 }) ?? true else {
            throw ValidationError("--decode takes 1 to 1024")
        }
        guard !bound || (planning.selection.policy == .priced && planning.secondsPerLoss != nil)
        else {
            throw ValidationError("--bound needs --policy priced and --seconds-per-loss")
        }
        guard 0...3_600 ~= reportInterval else {
            throw ValidationError("--report-interval takes 0 to 3600 seconds")
        }
    }

    func run() throws {
        var scenario = try Scenario.open(scenario)
        if let seed { scenario.radio.seed = seed }
        let opened = try model.open()
        guard let experts = opened.model.configuration.experts else {
            throw CommandError("\(model.model): has no experts to spread")
        }
        let texts = try opened.windows(
            of: file, length: scenario.prefillTokens, skip: 0, limit: windows)
        guard decode ?? 1 <= texts.count else {
            throw CommandError(
                "\(file): has \(texts.count) windows, --decode \(decode ?? 1) needs as many")
        }
        var planner = try planning.planner(
            layers: opened.model.configuration.layers, experts: experts.count,
            seed: scenario.radio.seed)
        planner.bounds = bound
        let result = try Simulation(opened.model).run(
            texts, scenario: scenario, planner: planner,
            step: decode.map { .decode(batch: $0) } ?? .prefill,
            reportInterval: Seconds(reportInterval), keepsTrace: trace != nil)
        if let trace { try write(result.trace, to: trace) }
        try show(SimulationReport(result, scenario: scenario, bound: bound))
    }

    private func show(_ report: SimulationReport) throws {
        guard !json else { return try Output.json(report) }
        Output.line(
            String(
                format: "perplexity %.4f, accuracy %.4f, layer %.3f ms, model %.3f ms, "
                    + "%.3f experts per token, %.4f of the weight dropped, %.3f J",
                report.perplexity, report.accuracy, report.layerSeconds * 1e3,
                report.modelSeconds * 1e3, report.expertsPerToken, report.droppedMass,
                report.joules)
                + (report.secondsAboveBound.map {
                    String(format: ", at most %.3f ms above the bound", $0 * 1e3)
                } ?? ""))
    }

    private func write(_ trace: [SimulatedLayer], to path: String) throws {
        var lines = ["window,layer,device,tokens,hertz,seconds"]
        for layer in trace {
            for device in layer.tokens.indices {
                lines.append(
                    "\(layer.window),\(layer.layer),\(device),\(layer.tokens[device]),"
                        + "\(layer.plan.hertz[device]),\(layer.plan.deviceSeconds[device])")
            }
        }
        do {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
        } catch {
            throw CommandError("\(path): cannot be written: \(CommandError.reason(error))")
        }
    }
}

/// What `simulate --json` prints.
struct SimulationReport: Encodable {
    let perplexity: Double
    let accuracy: Double
    let layerSeconds: Double
    let modelSeconds: Double
    let expertsPerToken: Double
    let droppedMass: Double
    let joules: Double
    /// Only where it was asked for.
    let secondsAboveBound: Double?

    init(_ result: Simulation.Result, scenario: Scenario, bound: Bool) {
        perplexity = result.quality.perplexity
        accuracy = result.quality.accuracy
        layerSeconds = result.costs.layerSeconds
        modelSeconds = result.costs.layerSeconds * Double(scenario.shape.layers)
        expertsPerToken = result.costs.meanExpertsPerToken
        droppedMass = result.costs.meanDroppedMass
        joules = result.costs.layerJoules * Double(scenario.shape.layers)
        secondsAboveBound = bound ? result.costs.secondsAboveBound : nil
    }
}

extension Scenario {
    /// Reads a scenario's file.
    static func open(_ path: String) throws -> Scenario {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw CommandError("\(path): cannot be read: \(CommandError.reason(error))")
        }
        return try Scenario(yaml: [UInt8](bytes), file: path)
    }
}
