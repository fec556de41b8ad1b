import ArgumentParser
import Planning

struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Solve one planning problem from a JSON file.",
        subcommands: [
            PlanBandwidth.self, PlanSelection.self, PlanCaching.self, PlanDeploy.self,
        ])
}

extension BandwidthMethod: ExpressibleByArgument {}
extension SelectionPolicy: ExpressibleByArgument {}

struct PlanBandwidth: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bandwidth",
        abstract: "Share a spectrum among devices.",
        discussion: """
            The problem: {"totalHertz": F, "noiseWattsPerHertz": F, "devices": [{"name": S, \
            "tokens": N, "bitsDown": F, "bitsUp": F, "gain": F, "powerDownWatts": F, \
            "powerUpWatts": F, "computeSeconds": F, "messageSeconds": F}]}. A device takes \
            messageSeconds + tokens × (bitsDown/R_down + bitsUp/R_up + computeSeconds) with \
            R = hertz · log2(1 + power · gain / (noise · hertz)).
            """)

    @Option(help: "A JSON file.")
    var problem: String

    @Option(help: "How the spectrum is shared.")
    var method = BandwidthMethod.minmax

    @Flag(help: "Print one JSON object: hertz, deviceSeconds, seconds.")
    var json = false

    private struct Answer: Encodable {
        let hertz: [Double]
        let deviceSeconds: [Double]
        let seconds: Double
    }

    func run() throws {
        let plan = method.allocate(try BandwidthProblem(try ProblemField(file: problem)))
        guard !json else {
            return try Output.json(
                Answer(
                    hertz: plan.hertz, deviceSeconds: plan.deviceSeconds, seconds: plan.seconds))
        }
        let rows = zip(plan.hertz, plan.deviceSeconds).enumerated().map { device, share in
            ["\(device)", "\(share.0 * 1e-6)", "\(share.1)"]
        }
        Output.line(Readable.table([["device", "MHz", "seconds"]] + rows))
        Output.line("the last device finishes after \(plan.seconds) s")
    }
}

struct PlanSelection: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selection",
        abstract: "Choose experts for a batch of tokens in one layer.",
        discussion: """
            The problem: {"k": N, "weights": [[softmax over all experts] per token], \
            "tokenSeconds": [per device], "messageSeconds": [per device], "holders": [[device \
            indices] per expert], "parameters": {"alpha": F, "gamma": F, "thetaStep": F, \
            "thetaMax": F, "importance": [[per expert]], "epsilon": F, "maxWeight": F, \
            "threshold": F}}. Without holders, expert e is on device e. The importance of a visit \
            is its share of the top-k weights times the expert's factor, one row for all tokens \
            or one per token; epsilon bounds what is dropped, mean over tokens.
            """)

    @Option(help: "A JSON file.")
    var problem: String

    @Option(help: "How experts are selected.")
    var policy: SelectionPolicy

    @Flag(help: "Print one JSON object: kept, weights, device, seconds, droppedMass, wlr.")
    var json = false

    private struct Answer: Encodable {
        let kept: [[Int]]
        let weights: [[Double]]
        let device: [[Int]]
        let seconds: Double
        let droppedMass: Double
        let wlr: Double
    }

    func run() throws {
        let root = try ProblemField(file: problem)
        let problem = try SelectionProblem(root)
        let parameters = try SelectionParameters(
            root, tokens: problem.weights.count, experts: problem.holders.count)
        let selection = policy.select(problem, parameters)
        let answer = Answer(
            kept: selection.kept, weights: problem.renormalised(selection),
            device: selection.device, seconds: problem.seconds(selection),
            droppedMass: problem.droppedMass(selection),
            wlr: problem.weightLatencyRatio(selection))
        guard !json else { return try Output.json(answer) }
        for (token, kept) in selection.kept.enumerated() {
            Output.line("token \(token): " + kept.map(String.init).joined(separator: ", "))
        }
        Output.line(
            "the last device finishes after \(answer.seconds) s; dropped "
                + "\(answer.droppedMass) of the weight; weight-to-latency ratio \(answer.wlr)")
    }
}
