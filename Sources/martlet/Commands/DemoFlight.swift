import Foundation
import Synchronization
import SystemModel

/// The processes of one demo: a base station spoken to in lines of JSON, and its devices.
final class DemoFlight: Sendable {
    /// One line of the base station's output, whichever it is.
    struct Line: Decodable {
        var listening: String?
        var ready: Int?
        var experts: [String: Int]?
        var token: Int?
        var text: String?
        var tokens: [Int]?
        var costs: CostRecord?
        var error: String?
    }

    private struct State {
        var station: Process?
        var devices: [Process] = []
        var input: FileHandle?
        var held: [String: Int] = [:]
    }

    private let folder: URL
    private let state = Mutex(State())
    private let lines: AsyncStream<Line>
    private let arrived: AsyncStream<Line>.Continuation

    init(folder: URL) {
        self.folder = folder
        (lines, arrived) = AsyncStream.makeStream(of: Line.self)
    }

    /// Experts that each device holds, by its name.
    var held: [String: Int] { state.withLock { $0.held } }

    /// Starts the base station and returns the address that it listens on.
    func startBaseStation(model: String, waitDevices: Int) async throws -> String {
        let (input, output) = (Pipe(), Pipe())
        let process = try LocalDevices.spawn(
            [
                "serve", "--stdin", "--model", model, "--devices-listen", "127.0.0.1:0",
                "--wait-devices",
                "\(waitDevices)", "--json",
            ], input: input, output: output)
        state.withLock { state in
            state.station = process
            state.input = input.fileHandleForWriting
        }
        let arrived = arrived
        Thread.detachNewThread {
            var rest = Data()
            while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
                rest += data
                while let end = rest.firstIndex(of: 10) {
                    if let line = try? JSONDecoder().decode(Line.self, from: rest[..<end]) {
                        arrived.yield(line)
                    }
                    rest = Data(rest[(end + 1)...])
                }
            }
            arrived.finish()
        }
        return try await next(\.listening)
    }

    /// Starts devices that keep their experts in folders of the demo's own.
    func startDevices(_ count: Int, address: String) throws {
        for number in 1...count {
            let process = try LocalDevices.spawn([
                "join", address, "--name", "device-\(number)", "--memory", "64MiB", "--cache",
                folder.appending(path: "device-\(number)").path, "--threads", "1", "--once",
                "--quiet",
            ])
            state.withLock { $0.devices.append(process) }
        }
    }

    func waitUntilReady() async throws {
        let experts = try await next(\.experts)
        state.withLock { $0.held = experts }
    }

    /// Streams the answer to a prompt; `onToken` is told how many tokens have come.
    func ask(
        _ prompt: String, maxTokens: Int, onToken: (Int) -> Void
    ) async throws -> (tokens: [Int], costs: CostRecord) {
        struct Request: Encodable {
            let prompt: String
            let maxTokens: Int
        }
        let request = try JSONEncoder().encode(Request(prompt: prompt, maxTokens: maxTokens))
        try state.withLock { try $0.input?.write(contentsOf: request + Data("\n".utf8)) }
        var count = 0
        for await line in lines {
            if let error = line.error { throw CommandError(error) }
            if let tokens = line.tokens, let costs = line.costs { return (tokens, costs) }
            guard line.token != nil else { continue }
            Output.write(line.text ?? "")
            count += 1
            onToken(count)
        }
        throw CommandError("the base station ended in the middle of an answer")
    }

    /// SIGKILL: no goodbye, no clean-up.
    func kill(device: Int) {
        state.withLock { _ = Foundation.kill($0.devices[device].processIdentifier, SIGKILL) }
    }

    /// Ends every process and waits until all are gone.
    func land() {
        state.withLock { state in
            let processes = state.devices + [state.station].compactMap { $0 }
            for process in processes where process.isRunning { process.terminate() }
            for process in processes { process.waitUntilExit() }
        }
    }

    /// The next line that has a certain field.
    private func next<Value>(_ field: KeyPath<Line, Value?>) async throws -> Value {
        for await line in lines {
            if let value = line[keyPath: field] { return value }
        }
        throw CommandError("the base station ended early")
    }
}
