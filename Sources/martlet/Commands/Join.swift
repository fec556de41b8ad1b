import ArgumentParser
import Foundation
import MoEModel
import ModelFiles
import NIOTransport
import SystemModel
import Tensors
import Worker

struct Join: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Be a device: hold experts for base stations and compute with them.",
        discussion: """
            The device dials the base station, says what it can do, is shipped its experts, and \
            keeps them on disk: a second start is shipped nothing. Where the disk has room, it is \
            also shipped experts of others, so that a loss is mended from disk. When the base \
            station goes away it dials again until it is back.

              martlet join 192.168.1.10:7070 --memory 2GiB --name kitchen-laptop

            It may serve several base stations at once, each with a model of its own. They share \
            its cache, take turns at its processors by the time that each has had, and divide its \
            memory: a base station gets what is written after it, the others equal parts of the \
            rest. What befalls one does not disturb the others.

              martlet join 192.168.1.10:7070=3GiB 192.168.1.11:7070 --memory 4GiB

            A base station that has been away for a minute (--lend-after) lends its memory to the \
            others, in proportion to theirs, and gets it back before it is served again.

            With --role cloud it is a far node with room for everything: it is dealt no part of \
            the experts, but what no device has room for and copies of the rest, and is asked only \
            where that is sooner than the base station's own disk.
            """)

    @Argument(help: "Base stations, each as HOST:PORT or, with its memory, HOST:PORT=2GiB.")
    var baseStations: [StationArgument]

    @Option(
        help: """
            Memory to offer for experts in all, such as 512MiB; default: half of the machine's.
            """)
    var memory: ByteSize?

    @Option(
        name: .customLong("lend-after"),
        help: """
            Seconds, 1 or more, that a base station may be away before the others get its memory \
            until it is back; "never" keeps it free.
            """)
    var lendAfter = LendingTime(duration: .seconds(60))

    @Option(help: "Folder that keeps experts between starts; \"none\" holds them in memory only.")
    var cache: String?

    @Option(
        help: """
            How experts of that folder come into memory: huge-pages, copied and packed, which \
            computes faster; or mapped, which the system may drop when memory is short.
            """)
    var load = WeightLoading.hugePages

    @Option(
        help: """
            Most bytes of experts in that folder, such as 8GiB; beyond it those go that were not \
            assigned for longest. What the assigned ones leave is offered to the base station for \
            experts that may be needed later. Default: no limit, and offered is what is there and \
            a quarter of what the disk has free, at most 64 GiB in all.
            """)
    var disk: ByteSize?

    @Option(help: "A name for people; default: this machine's.")
    var name: String?

    @Option(help: "device, or cloud for a far node that holds everything.")
    var role = DeviceDescription.Role.device

    @OptionGroup var threads: ThreadOption
    @OptionGroup(title: "Emulation") var emulation: EmulationOptions

    @Flag(help: "End when the base station goes away instead of dialing again.")
    var once = false

    @Flag(help: "Write nothing but errors.")
    var quiet = false

    /// More would hardly share one machine.
    private static let stationLimit = 16

    func validate() throws {
        guard (1...Self.stationLimit).contains(baseStations.count) else {
            throw ValidationError("name 1 to \(Self.stationLimit) base stations")
        }
        guard disk == nil || cache != "none" else {
            throw ValidationError("--disk limits a folder, and \"--cache none\" has none")
        }
        guard load != .dense else {
            throw ValidationError("--load takes huge-pages or mapped: a device has only experts")
        }
        let endpoints = baseStations.map(\.endpoint.description)
        guard Set(endpoints).count == endpoints.count else {
            throw ValidationError("each base station is named once")
        }
    }

    func run() async throws {
        threads.apply()
        let interrupt = Interrupt()
        let offered = memory?.count ?? Int(ProcessInfo.processInfo.physicalMemory / 2)
        let shares = try MemoryQuotas.shares(
            offered: offered, quotas: baseStations.map { $0.quota?.count })
        let device = describe()
        let folder = cacheFolder(device.name)
        if let folder, let disk, !quiet {
            Output.note("keeping at most \(Readable.bytes(disk.count)) of experts in \(folder)")
        }
        let machine = StationSession.Machine(
            store: try BlobStore(directory: folder, diskBytes: disk?.count),
            turns: ComputeTurns(clock: SystemClock()), pace: emulation.pace,
            loading: load)
        // Batches are computed on the threads of control links, so each has its own; those for
        // weights share one.
        let transports = baseStations.map { _ in Transport() }
        let bulkTransport = Transport(onThread: ThreadPriority.background.apply)
        let notes = baseStations.indices.map(note)
        let division =
            baseStations.count > 1
            ? DeviceMemory(
                baseStations.map(\.endpoint), shares: shares, lending: lendAfter,
                note: { notes[$0]($1) }) : nil
        let sessions = baseStations.indices.map { position in
            var described = device
            described.memoryBytes = shares[position]
            described.diskBytes = machine.store.offeredBytes / baseStations.count
            return StationSession(
                baseStations[position].endpoint, position: position,
                transports: .init(control: transports[position], bulk: bulkTransport),
                device: described, machine: machine, memory: division?.sharing.part(of: position),
                once: once, note: notes[position])
        }
        let outcome: Swift.Result<Void?, any Error>
        do {
            outcome = .success(
                try await interrupt.race {
                    guard let division else { return try await StationSession.serve(sessions) }
                    try await division.divide { try await StationSession.serve(sessions) }
                })
        } catch {
            outcome = .failure(error)
        }
        for transport in transports + [bulkTransport] { await transport.shutdown() }
        _ = try outcome.get()
    }

    /// Writes lines that name the base station where there are several.
    private func note(of position: Int) -> @Sendable (String) -> Void {
        let prefix = baseStations.count > 1 ? "\(baseStations[position].endpoint): " : ""
        return { [quiet] in if !quiet { Output.note(prefix + $0) } }
    }

    /// The machine, with the memory still to be divided.
    private func describe() -> DeviceDescription {
        let benchmark = SelfBenchmark(clock: SystemClock())
        let machine = ProcessInfo.processInfo
        var device = DeviceDescription(
            name: name ?? machine.hostName, memoryBytes: 0,
            cores: machine.activeProcessorCount,
            instructionSet: InstructionSet.detected.rawValue,
            memoryGigabytesPerSecond: benchmark.memoryGigabytesPerSecond,
            gigaflopsPerSecond: benchmark.gigaflopsPerSecond,
            role: role == .device ? nil : role)
        emulation.describe(&device)
        return device
    }

    /// The folder for blobs, or nil for memory only.
    private func cacheFolder(_ device: String) -> String? {
        if let cache { return cache == "none" ? nil : cache }
        let environment = ProcessInfo.processInfo.environment
        let root =
            environment["XDG_CACHE_HOME"].map { URL(filePath: $0) }
            ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
        let folder = device.map { $0 == "/" ? "_" : $0 }
        return root.appending(path: "martlet/experts/\(String(folder))").path
    }
}

extension DeviceDescription.Role: ExpressibleByArgument {}
