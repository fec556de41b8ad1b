import ArgumentParser
import Calibration
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
            "messageSeconds": F, "visitSeconds": F}], "residentSeconds": F, "fileSeconds": F, \
            "promptRows": F}. A device takes messageSeconds + visits × visitSeconds for a layer; \
            the base station residentSeconds (default 0) for a visit to an expert in its memory, \
            fileSeconds (default 0.005) for one in no memory. What is small: the seconds of a \
            decoded token and of promptRows (default 1) rows of a long prompt, then round trips, \
            then frames.

              martlet calibrate --model M.gguf --file book.txt --output p.db
              martlet plan deploy --model M.gguf --profile p.db --devices d.json --resident 2GiB \
            --output plan.json
              martlet serve --model M.gguf --devices-listen H:P --plan plan.json
            """)

    @OptionGroup var model: ModelOption

    @Option(help: "What martlet calibrate recorded of the model.")
    var profile: String

    @Option(help: "A JSON file: devices and times.")
    var devices: String

    @Option(help: "Memory of the base station for experts, as 2GiB.")
    var resident: ByteSize?

    @Option(help: "Write the plan here.")
    var output: String

    @Flag(help: "Print one JSON object: what is foreseen, and of round trips the least possible.")
    var json = false

    private struct Answer: Encodable {
        let secondsPerToken: Double
        let secondsPerPromptRow: Double
        let roundTripsPerToken: Double
        let framesPerToken: Double
        let leastRoundTripsPerToken: Double
        let resident: Int
        let onDevices: Int
        let inNoMemory: Int
    }

    func run() throws {
        let opened = try model.open()
        let shape = opened.model.shape
        guard shape.experts > 0 else {
            throw CommandError("\(opened.file.path): has no experts to deal")
        }
        let sets = try ProfileDatabase(path: profile).routedSets()
        try check(sets, shape)
        let problem = try DeploymentProblem(
            try ProblemField(file: devices), shape: shape, sets: sets,
            residentBytes: resident?.count ?? 0)
        Output.note("dealing \(shape.experts) experts of \(shape.layers) layers …")
        let homes = DeploymentPlanner.plan(problem)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            try encoder.encode(DeploymentPlan(problem, homes)).write(
                to: URL(filePath: output), options: .atomic)
        } catch {
            throw CommandError("\(output): cannot be written: \(CommandError.reason(error))")
        }
        try tell(problem, homes)
    }

    private func check(_ sets: [[RoutedSet]], _ shape: ModelShape) throws {
        guard sets.count == shape.layers,
            sets.joined().allSatisfy({ $0.experts.allSatisfy { $0 < shape.experts } })
        else {
            throw CommandError("\(profile): is of another model; calibrate this one")
        }
    }

    private func tell(_ problem: DeploymentProblem, _ homes: [[ExpertHome]]) throws {
        let cost = problem.cost(homes)
        // Where devices hold all the rest; experts in no memory cost no round trip either.
        let bound = ResidentExperts(
            problem.shape, sets: problem.sets, budgetBytes: problem.residentBytes)
        let all = homes.joined()
        let answer = Answer(
            secondsPerToken: cost.secondsPerToken,
            secondsPerPromptRow: cost.secondsPerPromptRow,
            roundTripsPerToken: cost.roundTripsPerToken, framesPerToken: cost.framesPerToken,
            leastRoundTripsPerToken: bound.roundTripsPerToken,
            resident: all.count { $0 == .resident },
            onDevices: all.count { $0 != .resident && $0 != .file },
            inNoMemory: all.count { $0 == .file })
        guard !json else { return try Output.json(answer) }
        Output.line(
            "\(answer.resident) experts at the base station, \(answer.onDevices) on devices, "
                + "\(answer.inNoMemory) in no memory")
        Output.line(
            String(
                format: "a token: %.2f ms, %.2f round trips (with that memory at least %.2f if "
                    + "devices hold the rest), %.2f frames; a prompt's row: %.3f ms",
                1e3 * cost.secondsPerToken, cost.roundTripsPerToken,
                answer.leastRoundTripsPerToken, cost.framesPerToken,
                1e3 * cost.secondsPerPromptRow))
        Output.line("written: \(output)")
    }
}
