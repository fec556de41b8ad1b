import Cell
import Foundation
import Scenarios
import SystemModel

/// What `martlet cell` says when it begins: ports, and what the settings come to.
struct CellSettings: Encodable {
    struct Device: Encodable {
        let name: String
        let port: Int
        let to: String
        let distanceMetres: Double
        let metresPerSecond: Double
        /// Through the cell with an equal share and without fading.
        let bitsPerSecondDown: Double
        let bitsPerSecondUp: Double
        /// A row there and back, likewise.
        let rowSeconds: Double
    }

    let scenario: String
    let controlPort: Int
    let dialer: String
    let slowdown: Double
    let totalHertz: Double
    let delaySeconds: Double
    let jitterSeconds: Double
    let devices: [Device]

    init(_ server: CellServer, _ scenario: Scenario, _ options: CellServer.Options) {
        self.scenario = scenario.name
        controlPort = server.controlPort
        dialer = options.dialer.rawValue
        slowdown = options.slowdown
        totalHertz = scenario.radio.total.value
        delaySeconds = scenario.link.delay.value
        jitterSeconds = scenario.link.jitter.value
        devices = scenario.devices.enumerated().map { index, device in
            Device(
                device, port: server.ports[index], target: options.targets[index], scenario,
                slowdown: options.slowdown)
        }
    }

    /// The same for people.
    var text: String {
        let head = ["device", "port", "to", "distance", "speed", "down", "up", "row"]
        let rows = devices.map { device in
            [
                device.name, "\(device.port)", device.to,
                String(format: "%.0f m", device.distanceMetres),
                String(format: "%.1f m/s", device.metresPerSecond),
                String(format: "%.3f Mbit/s", device.bitsPerSecondDown * 1e-6),
                String(format: "%.3f Mbit/s", device.bitsPerSecondUp * 1e-6),
                String(format: "%.3f ms", device.rowSeconds * 1e3),
            ]
        }
        return String(
            format: "cell \"%@\": %.1f MHz slowed down %.1f times, %.2f ms delay each way and up "
                + "to %.2f ms of jitter, control port %d\n",
            scenario, totalHertz * 1e-6, slowdown, delaySeconds * 1e3, jitterSeconds * 1e3,
            controlPort) + Readable.table([head] + rows)
            + "\n(rates and rows at the mean gain with an equal share; fading changes them)"
    }
}

extension CellSettings.Device {
    init(
        _ device: Scenario.Device, port: Int, target: CellServer.Address, _ scenario: Scenario,
        slowdown: Double
    ) {
        name = device.name
        self.port = port
        to = "\(Endpoint(host: target.host, port: target.port))"
        distanceMetres = device.distance.value
        metresPerSecond = device.motion.value
        let radio = RadioLink(
            gain: scenario.meanGain(device), powerDown: scenario.radio.powerDown,
            powerUp: scenario.radio.powerUp)
        let share = Hertz(scenario.radio.total.value / Double(scenario.devices.count))
        let row = scenario.shape.workload.activation
        let air = radio.airtime(
            down: row, up: row, bandwidth: share,
            rate: ShannonRate(noise: NoiseDensity(scenario.radio.noise)))
        bitsPerSecondDown = row.value / air.down.value / slowdown
        bitsPerSecondUp = row.value / air.up.value / slowdown
        rowSeconds = (air.down + air.up).value
    }
}

/// One line a second, when something went through or somebody is out.
struct CellLines {
    private let json: Bool
    private let stride: Int
    private var count = 0
    private var last: CellSnapshot?

    /// - Parameter stride: of the snapshots, in hundredths of a second.
    init(json: Bool, stride: Int) {
        self.json = json
        self.stride = stride
    }

    mutating func tell(_ snapshot: CellSnapshot) throws {
        defer { count += stride }
        guard count.isMultiple(of: 100) else { return }
        defer { last = snapshot }
        if json { return try Output.json(snapshot) }
        guard let last else { return }
        let devices = zip(last.devices, snapshot.devices)
        guard devices.contains(where: { $0.bytes != $1.bytes || $0.isOut != $1.isOut }) else {
            return
        }
        let elapsed = max(snapshot.seconds - last.seconds, 1e-9)
        let parts = devices.map { before, now in
            let carried = Double(now.bytes - before.bytes) * 8e-6 / elapsed
            return now.isOut
                ? "\(now.name) out"
                : String(
                    format: "%@ %.2f of %.2f/%.2f Mbit/s", now.name, carried,
                    now.bitsPerSecondDown * 1e-6, now.bitsPerSecondUp * 1e-6)
        }
        Output.note(
            String(format: "%.0f s, %@ shares: ", snapshot.seconds, snapshot.shares)
                + parts.joined(separator: "; "))
    }
}

extension CellSnapshot.Device {
    fileprivate var bytes: Int { bytesDown + bytesUp }
}

/// The channel over time as CSV.
final class ChannelTrace: Sendable {
    private let file: FileHandle
    private let path: String

    init(path: String) throws {
        self.path = path
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw CommandError("\(path): cannot be written") }
        self.file = file
        try write(
            "seconds,device,distanceMetres,gain,hertz,bitsPerSecondDown,bitsPerSecondUp,isOut,"
                + "bytesDown,bytesUp,airSecondsDown,airSecondsUp\n")
    }

    func add(_ snapshot: CellSnapshot) throws {
        let lines = snapshot.devices.map { device in
            "\(snapshot.seconds),\(device.name),\(device.distanceMetres),\(device.gain),"
                + "\(device.hertz),\(device.bitsPerSecondDown),\(device.bitsPerSecondUp),"
                + "\(device.isOut ? 1 : 0),\(device.bytesDown),\(device.bytesUp),"
                + "\(device.airSecondsDown),\(device.airSecondsUp)\n"
        }
        try write(lines.joined())
    }

    private func write(_ text: String) throws {
        do {
            try file.write(contentsOf: Data(text.utf8))
        } catch {
            throw CommandError("\(path): cannot be written: \(CommandError.reason(error))")
        }
    }
}
