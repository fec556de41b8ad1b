import Coordinator
import Foundation
import MoEModel
import ModelFiles
import NIOTransport
import Planning
import SystemModel

/// The network side of a run: a listener, its coordinator, and devices started for the run.
struct BaseStation {
    let coordinator: Coordinator
    let endpoint: Endpoint
    /// Nil for the model's own choice.
    let planner: LivePlanner?
    private let transport: Transport
    private let listener: DeviceListener
    private let devices: LocalDevices?
    private let wanted: Int
    private let waitsForCopies: Bool
    /// Shares a cell's spectrum, where there is one.
    private let sharing: Task<Void, Never>?

    /// Listens, and starts local devices if asked for.
    ///
    /// - Parameters:
    ///   - wanted: how many devices `waitForDevices` waits for.
    ///   - keepsAhead: whether devices' disks are filled ahead of need, as is worth while for a
    ///     base station that stays.
    ///   - observer: told what happens to devices.
    /// - Throws: `TransportError` if the address cannot be listened on.
    static func start(
        _ opened: OpenedModel, _ options: StationOptions, at address: Endpoint,
        localDevices: Int?, wanted: Int, keepsAhead: Bool = false, observer: CellObserver? = nil
    ) async throws -> BaseStation {
        try address.checkListening(insecure: options.insecure)
        let model = opened.model
        if model.configuration.experts == nil {
            Output.note("\(opened.file.path) has no experts: devices will have nothing to compute")
        }
        let coordinator = try Coordinator(
            model, options, areLocal: localDevices != nil, keepsAhead: keepsAhead,
            observer: observer)
        let planner = try options.planner(model, coordinator)
        let transport = Transport()
        do {
            let listener = try await transport.listen(
                host: address.host, port: address.port, onAccept: coordinator.accept)
            let bound = Endpoint(host: address.host, port: listener.boundPort)
            if localDevices == nil { Output.note("listening for devices on \(bound)") }
            let devices = try localDevices.map { count in
                try LocalDevices(
                    count: count, endpoint: bound, memoryBytes: model.shape.allExpertBytes,
                    onEnd: coordinator.recheck)
            }
            return BaseStation(
                coordinator: coordinator, endpoint: bound, planner: planner, transport: transport,
                listener: listener, devices: devices, wanted: wanted,
                waitsForCopies: options.waitCopies,
                sharing: sharing(model, options, coordinator))
        } catch {
            await transport.shutdown()
            throw error
        }
    }

    /// Begins to share the spectrum of the cell that the options name.
    private static func sharing(
        _ model: Model, _ options: StationOptions, _ coordinator: Coordinator
    ) -> Task<Void, Never>? {
        guard let endpoint = options.cellControl else { return nil }
        let control = CellControl(
            endpoint: endpoint, coordinator: coordinator, hidden: model.configuration.hidden,
            layersPerLook: options.cellSteps * max(1, model.shape.expertBytes.count { $0 > 0 }))
        return Task { await control.run() }
    }

    /// Returns when the wanted devices are there, whatever they hold.
    func waitForMembers() async {
        let wanted = wanted
        await coordinator.wait { $0.members.count >= wanted }
    }

    /// Returns when the wanted devices have their experts, and the base station those that it holds
    /// itself.
    ///
    /// - Parameter replanner: who deals the experts; nil: they are dealt in proportion to speed.
    /// - Throws: if a device that was started for the run ended instead.
    func waitForDevices(replanner: Replanner? = nil) async throws {
        let (wanted, devices, waitsForCopies) = (wanted, devices, waitsForCopies)
        if let replanner {
            return await coordinator.wait {
                $0.isSettled && $0.members.count >= wanted && replanner.hasDecided(for: $0)
            }
        }
        await coordinator.wait { $0.members.count >= wanted || devices?.ended == true }
        try devices?.check()
        coordinator.replan()
        await coordinator.wait { [coordinator] in
            let isSettled = waitsForCopies ? $0.isComplete : $0.isSettled
            return isSettled && $0.members.count >= wanted && coordinator.residents.isComplete
                || devices?.ended == true
        }
        try devices?.check()
    }

    /// Ends the devices started for the run and closes everything.
    func stop() async {
        sharing?.cancel()
        coordinator.close(reason: "the base station is done")
        await listener.close()
        await transport.shutdown()
        devices?.stop()
    }
}

extension Coordinator {
    /// A coordinator as the options say; it reports to standard error.
    fileprivate convenience init(
        _ model: Model, _ options: StationOptions, areLocal: Bool, keepsAhead: Bool,
        observer: CellObserver?
    ) throws {
        var settings = Options()
        settings.codec = options.activations
        settings.shares = areLocal ? .equal : .measured
        settings.keepsAhead = keepsAhead
        settings.content = try options.content(model, areLocal: areLocal)
        let tells = options.verbose || !areLocal
        let pace = ProgressPace()
        self.init(
            shape: model.shape, experts: model.experts, options: settings,
            clock: SystemClock(),
            report: { report in
                observer?.note(report)
                if tells, report.isTold(pace) { Output.note(report.line) }
            })
    }
}

extension ModelShape {
    /// Bytes of all experts of all layers; a device always offers at least one.
    fileprivate var allExpertBytes: Int { max(1, expertBytes.reduce(0) { $0 + $1 * experts }) }
}

extension Coordinator.Report {
    /// Progress is told at a pace, everything else at once.
    fileprivate func isTold(_ pace: ProgressPace) -> Bool {
        switch self {
        case .loaded(let name, let ready, let count, _, _):
            pace.allows(name, isLast: ready == count)
        case .stored(let name, let experts, let count, _):
            pace.allows("disk of " + name, isLast: experts == count)
        default: true
        }
    }

    /// The event as a line for standard error.
    var line: String {
        switch self {
        case .joined(let device, let peer):
            "\(device.name) joined from \(peer): \(Readable.bytes(device.memoryBytes)), "
                + "\(device.cores) cores, \(device.instructionSet), "
                + String(
                    format: "%.1f GB/s, %.0f GFLOP/s", device.memoryGigabytesPerSecond,
                    device.gigaflopsPerSecond)
        case .loaded(let name, let ready, let count, let fetched, let cached):
            "\(name): \(ready) of \(count) experts ready, \(Readable.bytes(fetched)) shipped, "
                + "\(Readable.bytes(cached)) cached"
        case .offered(let name, let memoryBytes):
            "\(name) offers \(Readable.bytes(memoryBytes)) from now on"
        case .stored(let name, let experts, let count, let bytes):
            "\(name): \(experts) of \(count) experts on disk ahead of need, "
                + Readable.bytes(bytes)
        case .left(let name, let reason): "\(name) left: \(reason)"
        case .late(let name): "\(name) is late; its work is done by others until it answers"
        case .refused(let peer, let reason): "refused \(peer): \(reason)"
        case .planning(let reason): "planning who holds what: \(reason.text)"
        case .adopted(let change):
            "experts change places (\(change.reason.text)): \(change.foreseen), "
                + "\(Readable.bytes(change.bytes)) to ship"
        case .kept(let change):
            "experts stay where they are (\(change.reason.text)); another plan: "
                + "\(change.foreseen), \(Readable.bytes(change.bytes)) to ship"
        }
    }
}

extension PlacementChange {
    /// What a token costs now and would cost then.
    fileprivate var foreseen: String {
        func step(_ before: Double, _ after: Double, _ name: String) -> String {
            String(format: "%.2f -> %.2f ", before, after) + name
        }
        let prompt = step(
            1e3 * before.secondsPerPromptRow, 1e3 * after.secondsPerPromptRow, "ms a prompt's row")
        return [
            step(1e3 * before.secondsPerToken, 1e3 * after.secondsPerToken, "ms"),
            step(before.roundTripsPerToken, after.roundTripsPerToken, "round trips"),
            step(before.framesPerToken, after.framesPerToken, "frames a token"), prompt,
        ].joined(separator: ", ")
    }
}
