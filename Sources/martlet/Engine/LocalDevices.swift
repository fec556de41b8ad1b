import Foundation
import Synchronization

/// Device processes on this machine that live as long as a run.
///
/// They end by themselves when the base station's connection goes, so that not even a killed base
/// station leaves one behind.
final class LocalDevices: Sendable {
    private let processes: Mutex<[Process]>

    /// Starts `count` devices that dial `endpoint`; `onEnd` is told when one ends.
    ///
    /// Each computes with one thread: they share the machine's processors.
    init(
        count: Int, endpoint: Endpoint, memoryBytes: Int, onEnd: @escaping @Sendable () -> Void
    ) throws {
        var started: [Process] = []
        do {
            for number in 1...count {
                started.append(
                    try Self.spawn([
                        "join", endpoint.description, "--name", "local-\(number)", "--cache",
                        "none", "--memory", "\(memoryBytes)B", "--threads", "1", "--once",
                        "--quiet",
                    ]) { _ in onEnd() })
            }
        } catch {
            for process in started { process.terminate() }
            throw error
        }
        processes = Mutex(started)
    }

    /// Whether one of them is no longer running.
    var ended: Bool { processes.withLock { $0.contains { !$0.isRunning } } }

    /// - Throws: if one of them ended by itself.
    func check() throws {
        guard ended else { return }
        throw CommandError("a device process ended early; run it by hand with \"martlet join\"")
    }

    /// Ends all of them and waits until they are gone.
    func stop() {
        processes.withLock { processes in
            for process in processes where process.isRunning { process.terminate() }
            for process in processes { process.waitUntilExit() }
            processes = []
        }
    }

    /// Starts this program again with other arguments, its errors on our standard error.
    static func spawn(
        _ arguments: [String], input: Pipe? = nil, output: Pipe? = nil,
        onEnd: (@Sendable (Process) -> Void)? = nil
    ) throws -> Process {
        guard let program = Bundle.main.executablePath else {
            throw CommandError("this program's own path is unknown, so it cannot start devices")
        }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = input ?? FileHandle.nullDevice
        process.standardOutput = output ?? FileHandle.nullDevice
        process.terminationHandler = onEnd
        try process.run()
        return process
    }
}
