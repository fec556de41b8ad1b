import ArgumentParser
import Foundation
import NIOTransport
import SystemModel
import Tensors
import Wire
import Worker

struct Join: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Be a device: hold experts for a base station and compute with them.",
        discussion: """
            The device dials the base station, says what it can do, is shipped its experts, and \
            keeps them on disk: a second start is shipped nothing. When the base station goes away \
            it dials again until it is back.

              martlet join 192.168.1.10:7070 --memory 2GiB --name kitchen-laptop
            """)

    @Argument(help: "The base station, as HOST:PORT.")
    var baseStation: Endpoint

    @Option(help: "Memory to offer for experts, such as 512MiB; default: half of the machine's.")
    var memory: ByteSize?

    @Option(help: "Folder that keeps experts between starts; \"none\" holds them in memory only.")
    var cache: String?

    @Option(help: "A name for people; default: this machine's.")
    var name: String?

    @OptionGroup var threads: ThreadOption
    @OptionGroup(title: "Emulation") var emulation: EmulationOptions

    @Flag(help: "End when the base station goes away instead of dialing again.")
    var once = false

    @Flag(help: "Write nothing but errors.")
    var quiet = false

    func run() async throws {
        threads.apply()
        let interrupt = Interrupt()
        let device = describe()
        let store = try BlobStore(directory: cacheFolder(device.name))
        // A thread for each of the two links; the control link's computes.
        let transport = Transport(threads: 2)
        let (endpoint, quiet, pace) = (baseStation, quiet, ProgressPace())
        let worker = Worker(
            device: device, store: store, clock: SystemClock(), pace: emulation.pace,
            dial: { handler in
                try await transport.dial(
                    host: endpoint.host, port: endpoint.port, timeout: .seconds(5),
                    handler: handler)
            },
            report: { if !quiet, $0.isTold(pace) { Output.note($0.line) } })
        let outcome: Swift.Result<Void?, any Error>
        do {
            outcome = .success(try await interrupt.race { try await serve(worker) })
        } catch {
            outcome = .failure(error)
        }
        await transport.shutdown()
        _ = try outcome.get()
    }

    /// Session after session; pauses grow while the base station stays away.
    private func serve(_ worker: Worker) async throws {
        var pause = 0.5
        while true {
            do {
                let reason = try await worker.serve()
                if Task.isCancelled { return }
                note("the base station is gone: \(reason)")
                pause = 0.5
            } catch let error as WorkerError where error.code != .protocolViolation {
                throw error
            } catch {
                if once { throw error }
                note("\(error)")
            }
            if once { return }
            note("dialing \(baseStation) again in \(pause) s")
            try await Task.sleep(for: .seconds(pause))
            pause = min(pause * 2, 15)
        }
    }

    private func note(_ text: String) {
        if !quiet { Output.note(text) }
    }

    private func describe() -> DeviceDescription {
        let benchmark = SelfBenchmark(clock: SystemClock())
        let machine = ProcessInfo.processInfo
        var device = DeviceDescription(
            name: name ?? machine.hostName,
            memoryBytes: memory?.count ?? Int(machine.physicalMemory / 2),
            cores: machine.activeProcessorCount,
            instructionSet: InstructionSet.detected.rawValue,
            memoryGigabytesPerSecond: benchmark.memoryGigabytesPerSecond,
            gigaflopsPerSecond: benchmark.gigaflopsPerSecond)
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

extension Worker.Report {
    /// Progress is told at a pace, everything else at once.
    fileprivate func isTold(_ pace: ProgressPace) -> Bool {
        guard case .loaded(let ready, let count, _, _, _) = self else { return true }
        return pace.allows("experts", isLast: ready == count)
    }

    /// The event as a line for standard error.
    var line: String {
        switch self {
        case .joined(let id, let peer): "joined \(peer) as \(id)"
        case .loaded(let ready, let count, let fetched, let cached, let bytes):
            "\(ready) of \(count) experts ready: \(Readable.bytes(fetched)) shipped, "
                + "\(Readable.bytes(cached)) from the cache, of \(Readable.bytes(bytes))"
        }
    }
}
