import ArgumentParser
import Cell
import MoEModel
import ModelFiles
import Scenarios
import SystemModel

struct CellCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cell",
        abstract: "Emulate a radio cell between a base station and devices on this machine.",
        discussion: """
            Device k of the scenario dials port --listen + k instead of the base station; what \
            goes through takes the time that the scenario's radio would take for it: rate, delay, \
            jitter and outages over time. With --dialer base the base station dials those ports, \
            and --to is the first device's address (the next one's port is one higher), or a list \
            of addresses. Any TCP traffic passes unchanged. A base station sets shares of the \
            spectrum at the control port (docs/cell.md).

              martlet serve --model M.gguf --devices-listen 127.0.0.1:7070
              martlet cell --scenario Scenarios/laptop.yaml --model M.gguf --to 127.0.0.1:7070
              martlet join 127.0.0.1:7100 --name d0

            With --model or --hidden the radio is slowed down by the ratio of hidden sizes, so \
            that a row of the model that runs takes the time of a row of the emulated shape.
            """)

    @Option(help: "A scenario, YAML.")
    var scenario: String

    @Option(
        help: "Where connections go: HOST:PORT, or with --dialer base one for each device.",
        transform: Self.endpoints)
    var to: [Endpoint]

    @Option(help: "The first device's port, as HOST:PORT; 0 lets the system choose all.")
    var listen = Endpoint(host: "127.0.0.1", port: 7100)

    @Option(help: "The control port on loopback; 0 lets the system choose.")
    var control = 7099

    @Option(help: "Who opens connections: device or base.")
    var dialer = CellServer.Dialer.device

    @Option(help: "The model that runs: its hidden size sets the slowdown.")
    var model: String?

    @Option(help: "The hidden size of the model that runs, instead of --model.")
    var hidden: Int?

    @Option(help: "Bits of one activation on the wire: 16, or 32 and 8 for other codecs.")
    var bits = 16.0

    @Option(help: "Replaces the scenario's seed.")
    var seed: UInt64?

    @Option(help: "Replaces the speed of all devices, m/s.")
    var metresPerSecond: Double?

    @Option(help: "Write the channel, every 10 ms, to this CSV file.")
    var trace: String?

    @Flag(help: "Allow listening on an address that other machines reach.")
    var insecure = false

    @Flag(help: "Print lines of JSON: the ports, then the state once a second.")
    var json = false

    func validate() throws {
        guard hidden == nil || model == nil else {
            throw ValidationError("give either --model or --hidden")
        }
        guard hidden.map({ 1...(1 << 20) ~= $0 }) ?? true, (0.1...64) ~= bits else {
            throw ValidationError("--hidden takes 1 to 1048576, --bits 0.1 to 64")
        }
        guard metresPerSecond.map({ 0...1_000 ~= $0 }) ?? true else {
            throw ValidationError("--metres-per-second takes 0 to 1000")
        }
    }

    func run() async throws {
        var scenario = try Scenario.open(scenario)
        if let seed { scenario.radio.seed = seed }
        if let metresPerSecond {
            for device in scenario.devices.indices {
                scenario.devices[device].motion = MetresPerSecond(metresPerSecond)
            }
        }
        let options = try options(scenario)
        let trace = try trace.map { try ChannelTrace(path: $0) }
        let interrupt = Interrupt()
        let server = try await CellServer.start(scenario, options)
        do {
            try describe(server, scenario, options)
            let json = json
            _ = try await interrupt.race {
                var lines = CellLines(json: json, stride: options.snapshotStride)
                for await snapshot in server.snapshots {
                    try trace?.add(snapshot)
                    try lines.tell(snapshot)
                }
            }
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func options(_ scenario: Scenario) throws -> CellServer.Options {
        try listen.checkListening(insecure: insecure)
        let count = scenario.devices.count
        let ports = (0..<count).map { listen.port == 0 ? 0 : listen.port + $0 }
        guard listen.port + count <= 65_536 else {
            throw CommandError("--listen: \(count) devices need ports up to 65535")
        }
        var options = CellServer.Options(ports: ports, targets: try targets(count))
        options.host = listen.host
        options.dialer = dialer
        options.controlPort = control
        options.slowdown = try slowdown(scenario.shape.workload)
        options.snapshotStride = trace == nil ? 100 : 1
        return options
    }

    private func targets(_ count: Int) throws -> [CellServer.Address] {
        guard let first = to.first, to.count == 1 || to.count == count else {
            throw CommandError("--to: has \(to.count) addresses for \(count) devices")
        }
        let step = dialer == .base ? 1 : 0
        return (0..<count).map { device in
            to.count == 1
                ? CellServer.Address(host: first.host, port: first.port + step * device)
                : CellServer.Address(host: to[device].host, port: to[device].port)
        }
    }

    /// Bits of a row of the emulated shape over bits of a row of the model that runs.
    private func slowdown(_ workload: ExpertWorkload) throws -> Double {
        let columns = try model.map(Self.hidden) ?? hidden
        return columns.map { workload.activation.value / (Double($0) * bits) } ?? 1
    }

    private static func hidden(of path: String) throws -> Int {
        try Model(ModelFile.open(path)).configuration.hidden
    }

    private func describe(
        _ server: CellServer, _ scenario: Scenario, _ options: CellServer.Options
    ) throws {
        let settings = CellSettings(server, scenario, options)
        if json { try Output.json(settings) } else { Output.note(settings.text) }
    }

    private static func endpoints(_ text: String) throws -> [Endpoint] {
        try text.split(separator: ",").map {
            guard let endpoint = Endpoint(argument: String($0)) else {
                throw ValidationError("--to: \"\($0)\" is not HOST:PORT")
            }
            return endpoint
        }
    }
}

extension CellServer.Dialer: ExpressibleByArgument {}
