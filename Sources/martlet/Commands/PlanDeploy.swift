import ArgumentParser
import Calibration
import Coordinator
import Foundation
import MoEModel
import ModelFiles
import Planning
import SystemModel

struct PlanDeploy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Plan which machine holds which experts, for --plan.",
        discussion: """
            From what calibrate recorded of the model, the devices' memories and times, and the \
            base station's own memory. Devices: {"devices": [{"name": S, "memoryBytes": N, \
            "messageSeconds": F, "rowSeconds": F, "visitSeconds": F}], "residentSeconds": F, \
            "fileSeconds": F, "frameSeconds": F, "promptRows": F}. A device takes messageSeconds + \
            rowSeconds (default 0) + visits × visitSeconds for a token's layer; the base station \
            residentSeconds (default 0) for a visit to an expert in its memory, fileSeconds \
            (default 0.005) for one in no memory, and frameSeconds (default 0.0001) for each frame \
            while nothing else goes on. What is small: the seconds of a decoded token and of \
            promptRows (default 1) rows of a long prompt, then round trips, then frames. The bound \
            is what no placement in which experts stay where they are can be faster than; memory \
            of --resident that the plan leaves to what tokens visited last may be.

              martlet calibrate --model M.gguf --file book.txt --output p.db
              martlet plan deploy --model M.gguf --profile p.db --devices d.json --resident 2GiB \
            --output plan.json
              martlet serve --model M.gguf --devices-listen H:P --plan plan.json
              martlet plan deploy … --from plan.json --move-at-most 500MB --output next.json

            --batch plans for sequences that are decoded together. What one of them visits costs \
            the others a round trip, too, so then it is better to keep whole layers in one place.
            """)

    @OptionGroup var model: ModelOption

    @Option(help: "What martlet calibrate recorded of the model.")
    var profile: String

    @Option(help: "A JSON file: devices and times.")
    var devices: String

    @Option(help: "Memory of the base station for experts, as 2GiB.")
    var resident: ByteSize?

    @Option(help: "A placement may be slower by this part for fewer frames.")
    var slack = DeploymentPlanner.usualSlack

    @Option(help: "Spare device memory holds experts again, on at most this many devices each.")
    var copies = 2

    @Option(help: "Sequences that are decoded together, 1 to \(Self.batches.upperBound).")
    var batch = 1

    @Option(help: "Start from this plan, which runs.")
    var from: String?

    @Option(help: "With --from: bytes that may be shipped to devices, as 500MB.")
    var moveAtMost: ByteSize?

    @Option(help: "Write the plan here.")
    var output: String

    @Flag(
        help:
            "Print one JSON object: what is foreseen, and what no lasting placement is better than."
    )
    var json = false

    private static let batches = 1...256

    private struct Answer: Encodable {
        let secondsPerToken: Double
        let secondsPerPromptRow: Double
        let roundTripsPerToken: Double
        let framesPerToken: Double
        let leastRoundTripsPerToken: Double
        let bound: Bound
        let resident: Int
        let recentBytes: Int
        let onDevices: Int
        let inNoMemory: Int
        let copies: Int
        let shippedBytes: Int?
    }

    /// What no placement in which experts stay where they are can be better than.
    private struct Bound: Encodable {
        let seconds: Double
        /// Of the plan over the bound's, less 1.
        let gap: Double
        let roundTripsPerToken: Double?
        let leastRoundTripsWithin10Percent: Double
        let leastFramesWithin10Percent: Double

        init(_ problem: DeploymentProblem, _ cost: DeploymentCost) {
            let bound = DeploymentBound(problem)
            seconds = bound.seconds
            gap = bound.seconds > 0 ? problem.seconds(cost) / bound.seconds - 1 : 0
            roundTripsPerToken = bound.roundTripsAtBound
            leastRoundTripsWithin10Percent = bound.leastRoundTrips
            leastFramesWithin10Percent = bound.leastFrames
        }
    }

    func validate() throws {
        guard (0...1).contains(slack) else { throw ValidationError("--slack: from 0 to 1") }
        guard copies >= 1 else { throw ValidationError("--copies: 1 or more") }
        guard Self.batches.contains(batch) else {
            throw ValidationError("--batch: from 1 to \(Self.batches.upperBound)")
        }
        guard moveAtMost == nil || from != nil else {
            throw ValidationError("--move-at-most needs --from")
        }
    }

    func run() throws {
        let opened = try model.open()
        let shape = opened.model.shape
        guard shape.experts > 0 else {
            throw CommandError("\(opened.file.path): has no experts to deal")
        }
        let routing = try ProfileDatabase.routing(path: profile, of: shape)
        var single = try DeploymentProblem(
            try ProblemField(file: devices), shape: shape, sets: routing.sets,
            residentBytes: resident?.count ?? 0)
        single.reuse = routing.reuse
        let problem = single.decodingTogether(batch)
        let running = try from.map { file in
            var content = ContentPlan()
            try content.read(plan: file, for: shape)
            return content.homes(problem)
        }
        Output.note("dealing \(shape.experts) experts of \(shape.layers) layers …")
        let homes =
            running.flatMap {
                DeploymentPlanner.plan(
                    problem, from: $0.homes, held: $0.held, moveAtMost: moveAtMost?.count,
                    slack: slack)
            } ?? DeploymentPlanner.plan(problem, slack: slack)
        let shipped = running.map {
            problem.shippedBytes(homes, from: $0.homes, held: $0.held)
        }
        let spare = DeploymentCopies.plan(
            problem, homes, copies: copies, held: running?.held ?? [],
            shipAtMost: moveAtMost.map { $0.count - (shipped ?? 0) } ?? .max)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            try encoder.encode(DeploymentPlan(problem, homes, copies: spare)).write(
                to: URL(filePath: output), options: .atomic)
        } catch {
            throw CommandError("\(output): cannot be written: \(CommandError.reason(error))")
        }
        try tell(problem, homes, copies: spare, shipped: shipped, held: running?.held)
    }

    private func tell(
        _ problem: DeploymentProblem, _ homes: [[ExpertHome]], copies: [[ExpertID]],
        shipped: Int?, held: [Set<ExpertID>]?
    ) throws {
        let cost = problem.cost(homes)
        // Where devices hold all the rest; experts in no memory cost no round trip either.
        let least = ResidentExperts(
            problem.shape, sets: problem.sets, budgetBytes: problem.residentBytes)
        let all = homes.joined()
        let copied = held.map { held in
            zip(copies, held).reduce(0) { sum, device in
                device.0.reduce(sum) {
                    $0 + (device.1.contains($1) ? 0 : problem.shape.expertBytes[$1.layer])
                }
            }
        }
        let answer = Answer(
            secondsPerToken: cost.secondsPerToken,
            secondsPerPromptRow: cost.secondsPerPromptRow,
            roundTripsPerToken: cost.roundTripsPerToken, framesPerToken: cost.framesPerToken,
            leastRoundTripsPerToken: least.roundTripsPerToken / Double(problem.rowsPerStep),
            bound: Bound(problem, cost), resident: all.count { $0 == .resident },
            recentBytes: problem.recentBytes(homes),
            onDevices: all.count { $0 != .resident && $0 != .file },
            inNoMemory: all.count { $0 == .file }, copies: copies.joined().count,
            shippedBytes: shipped.map { $0 + (copied ?? 0) })
        guard !json else { return try Output.json(answer) }
        Output.line(
            "\(answer.resident) experts at the base station, \(answer.onDevices) on devices and "
                + "\(answer.copies) copies, \(answer.inNoMemory) in no memory for good; "
                + "\(answer.recentBytes) bytes here for those of them that were visited last")
        if let bytes = answer.shippedBytes { Output.line("to be shipped: \(bytes) bytes") }
        Output.line(
            String(
                format: "a token: %.2f ms, %.2f round trips (with that memory at least %.2f if "
                    + "devices hold the rest), %.2f frames; a prompt's row: %.3f ms",
                1e3 * cost.secondsPerToken, cost.roundTripsPerToken,
                answer.leastRoundTripsPerToken, cost.framesPerToken,
                1e3 * cost.secondsPerPromptRow))
        Output.line(Self.text(answer.bound, promptRows: problem.promptRows))
        Output.line("written: \(output)")
    }

    private static func text(_ bound: Bound, promptRows: Double) -> String {
        let trips = bound.roundTripsPerToken.map { String(format: " with %.2f round trips", $0) }
        return String(
            format: "where every expert stays where it is, nothing is faster than %.2f ms%@%@; "
                + "this plan takes %+.1f %%",
            1e3 * bound.seconds, promptRows > 0 ? ", prompts included" : "", trips ?? "",
            100 * bound.gap)
            + String(
                format: "; within 10 %% of that at least %.2f round trips, %.2f frames",
                bound.leastRoundTripsWithin10Percent, bound.leastFramesWithin10Percent)
    }
}
