import ArgumentParser
import Calibration
import Coordinator
import MoEModel
import SystemModel

/// Whether a base station plans by itself who holds which experts.
enum ReplanMode: String, CaseIterable, ExpressibleByArgument {
    /// As devices come and go, and as links and what tokens visit change.
    case auto
    /// Experts are dealt in proportion to speed, or as `--plan` says.
    case off
}

/// Whether devices are given experts to keep on disk ahead of need.
enum KeepAheadMode: String, CaseIterable, ExpressibleByArgument {
    /// As far as the disks that they offer reach.
    case auto
    /// None.
    case off
}

/// Gives devices their experts while a base station runs, between two pieces of the inference
/// thread's work: what `Engine` generates is one piece, and a step of `BatchEngine` is one.
struct ExpertDealing: Sendable {
    /// Between two glances at the cell.
    private static let pause = Duration.milliseconds(500)

    private let station: BaseStation
    private let thread: InferenceThread
    /// Nil: in proportion to speed, or as a plan file says.
    private let replanner: Replanner?
    /// Whether a plan file says what those hold that are there at the start.
    private let hasPlan: Bool

    /// - Throws: what reading the profile or the plan throws.
    init(
        _ station: BaseStation, _ model: Model, _ options: StationOptions, _ mode: ReplanMode,
        on thread: InferenceThread
    ) throws {
        self.station = station
        self.thread = thread
        hasPlan = options.plan != nil
        guard mode == .auto, model.configuration.experts != nil else {
            replanner = nil
            return
        }
        replanner = Replanner(
            station.coordinator, model.shape, try options.replanning(model),
            onInference: thread.submit)
    }

    /// Until cancelled; `isReady` is called when those that are waited for have their experts.
    func run(waiting: Bool, isReady: @escaping @Sendable () -> Void) async throws {
        guard let replanner else {
            if waiting { try await station.waitForDevices() }
            isReady()
            return await station.coordinator.dealToNewcomers(on: thread)
        }
        defer { replanner.cancel() }
        if waiting { await station.waitForMembers() }
        if hasPlan {
            let coordinator = station.coordinator
            try await thread.run { coordinator.replan() }
        }
        let wait = Task {
            if waiting { try await station.waitForDevices(replanner: replanner) }
            try Task.checkCancellation()
            isReady()
        }
        defer { wait.cancel() }
        while !Task.isCancelled {
            replanner.glance()
            try await Task.sleep(for: Self.pause)
        }
    }
}

extension StationOptions {
    /// What planning while serving goes by.
    ///
    /// - Throws: if the profile or the plan cannot be read, or is of another model.
    fileprivate func replanning(_ model: Model) throws -> Replanner.Options {
        let shape = model.shape
        var options = Replanner.Options()
        options.copies = copies ?? options.copies
        options.residentBytes = resident?.count ?? 0
        if let plan {
            var content = ContentPlan()
            try content.read(plan: plan, for: shape)
            options.residentBytes = content.resident.reduce(content.recentBytes) {
                $0 + shape.expertBytes[$1.layer]
            }
        }
        options.recorded = try selection.routing(shape)
        return options
    }
}
