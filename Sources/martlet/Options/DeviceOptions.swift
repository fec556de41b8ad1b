import ArgumentParser
import Calibration
import Coordinator
import Foundation
import MoEModel
import Planning
import SystemModel
import Wire

/// How a base station treats its devices, for every command that has one.
struct StationOptions: ParsableArguments {
    @Option(help: "How activations travel: fp32 (exact), fp16 or int8.")
    var activations: ActivationCodec = .fp32

    @Option(help: "Seconds after which a silent device's work is done by somebody else.")
    var deadline: Double = 2

    @Flag(help: "Allow listening on an address that other machines reach, unencrypted.")
    var insecure = false

    @Flag(name: .shortAndLong, help: "Tell on standard error what devices do.")
    var verbose = false

    @OptionGroup(title: "Selection of experts") var selection: SelectionOptions

    @Option(
        help: """
            With another policy than topk: most estimated nats that a token may lose; 0.01 is \
            about 1 % of perplexity and the default.
            """)
    var qualityBudget: Double?

    @Option(
        help: """
            Most devices that hold an expert, as far as their memory reaches; the hottest of \
            --profile first. Default: 2, with --local-devices 1.
            """)
    var copies: Int?

    @Flag(help: "Where devices are waited for: until they have their copies, too.")
    var waitCopies = false

    @Option(
        help: """
            Memory of the base station for experts, as 2GiB: those whose absence would cost most \
            round trips by --profile are computed here, and no device gets them. Plans keep in \
            part of it what tokens visited last, where that is faster.
            """)
    var resident: ByteSize?

    @Option(
        help: """
            A plan of martlet plan deploy: who holds which experts. serve reads it again on SIGHUP \
            and goes on serving while they move.
            """)
    var plan: String?

    @Option(
        help: """
            Share the spectrum of an emulated cell by its control port at HOST:PORT, so that \
            layers take least; devices have the cell's names.
            """)
    var cellControl: Endpoint?

    @Option(help: "With --cell-control: look at the cell after every N steps.")
    var cellSteps = 8

    func validate() throws {
        if plan != nil && resident != nil {
            throw ValidationError("--plan says what is resident; give --resident to plan deploy")
        }
        if cellSteps < 1 { throw ValidationError("--cell-steps takes 1 or more") }
        if let copies, !(1...64).contains(copies) {
            throw ValidationError("--copies takes 1 to 64")
        }
        if !(deadline > 0 && deadline <= 3600) {
            throw ValidationError("--deadline takes more than 0 and at most 3600 seconds")
        }
        if let qualityBudget, !(qualityBudget >= 0 && qualityBudget.isFinite) {
            throw ValidationError("--quality-budget takes 0 or more nats")
        }
    }

    /// What choosing among measured devices needs; nil for the model's own choice.
    func planner(_ model: Model, _ coordinator: Coordinator) throws -> LivePlanner? {
        guard selection.policy != .topk, let experts = model.configuration.experts else {
            return nil
        }
        let routed = model.shape.expertBytes.count { $0 > 0 }
        return LivePlanner(
            coordinator: coordinator, shape: model.shape,
            planner: try selection.planner(
                layers: model.configuration.layers, experts: experts.count,
                unit: Self.uncalibratedNats / Double(max(1, routed))),
            budget: qualityBudget ?? Self.qualityBudget)
    }

    /// What the machines' memories should hold.
    ///
    /// - Parameter areLocal: whether all devices are processes of this machine.
    func content(_ model: Model, areLocal: Bool) throws -> ContentPlan {
        var content = ContentPlan()
        content.copies = copies ?? (areLocal ? 1 : 2)
        guard let experts = model.configuration.experts else { return content }
        let profile = try selection.calibration(
            layers: model.configuration.layers, experts: experts.count)
        content.popularity = profile?.layers.map { layer in
            layer.experts.isEmpty
                ? Array(repeating: 0, count: experts.count)
                : layer.experts.map { Double($0.visits) }
        }
        if let plan {
            try content.read(plan: plan, for: model.shape)
            return content
        }
        guard let resident else { return content }
        let sets = try selection.routing(model.shape)?.sets
        let plan = ResidentExperts(model.shape, sets: sets, budgetBytes: resident.count)
        content.resident = plan.experts
        let basis = sets == nil ? "if all were visited alike" : "by the profile"
        Output.note(
            String(
                format: "%d experts here: %.2f round trips a token %@", plan.experts.count,
                plan.roundTripsPerToken, basis))
        return content
    }

    /// Estimated nats that a token may lose unless another budget is given.
    private static let qualityBudget = 0.01
    /// Without a profile: nats per token for a change by 1 of all layers' weights.
    private static let uncalibratedNats = 0.4
}

/// Where experts run, for every command that runs the model.
struct DeviceOptions: ParsableArguments {
    @Option(help: "Start N device processes on this machine for this run.")
    var localDevices: Int?

    @Option(help: "Wait for devices that dial in here, as HOST:PORT.")
    var devicesListen: Endpoint?

    @Option(help: "With --devices-listen: start when N devices have their experts.")
    var waitDevices: Int?

    @OptionGroup var station: StationOptions
    @OptionGroup var threads: ThreadOption

    func validate() throws {
        if let localDevices, !(1...64).contains(localDevices) {
            throw ValidationError("--local-devices takes 1 to 64")
        }
        if localDevices != nil && devicesListen != nil {
            throw ValidationError("give either --local-devices or --devices-listen")
        }
        if devicesListen != nil && (waitDevices ?? 0) < 1 {
            throw ValidationError("--devices-listen needs --wait-devices N, at least 1")
        }
        if station.selection.policy != .topk && localDevices == nil && devicesListen == nil {
            throw ValidationError("--policy needs devices: --local-devices or --devices-listen")
        }
    }
}

extension ActivationCodec: ExpressibleByArgument {}
