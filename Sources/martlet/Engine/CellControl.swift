import Coordinator
import Foundation
import NIOTransport
import Planning
import SystemModel
import Wire

/// Shares an emulated cell's spectrum through its control port while tokens flow.
///
/// Every some steps it looks at what was sent lately and at the channels, and sets other shares if
/// that shortens a layer by enough. Shares are a lease: when the base station is gone, the cell
/// goes back to equal ones.
struct CellControl: Sendable {
    /// The part of the control port's `state` that matters here.
    struct State: Decodable {
        struct Device: Decodable {
            let name: String
            let gain: Double
            let hertz: Double
        }

        let totalHertz: Double
        let noiseWattsPerHertz: Double
        let powerDownWatts: Double
        let powerUpWatts: Double
        let slowdown: Double
        let delaySeconds: Double
        let shares: String
        let devices: [Device]
    }

    private struct Share: Encodable {
        let command = "share"
        let hertz: [String: Double]
        let seconds: Double
    }

    /// Seconds for which shares hold unless they are set again.
    private static let lease = 10.0
    /// Bytes of a pair beside its row.
    private static let pairBytes = 12

    let endpoint: Endpoint
    let coordinator: Coordinator
    let hidden: Int
    /// Layers with devices between two looks.
    let layersPerLook: Int

    /// Until cancelled. What goes wrong is told once and tried again.
    func run() async {
        let transport = Transport()
        var (looked, renewed) = (0, ContinuousClock().now)
        var told = false
        while (try? await Task.sleep(for: .milliseconds(50))) != nil {
            let layers = coordinator.rowLog.count
            let isDue = ContinuousClock().now - renewed > .seconds(Self.lease / 2)
            guard layers - looked >= layersPerLook || (isDue && layers > 0) else { continue }
            looked = layers
            do {
                if try await share(transport, renewing: isDue) {
                    renewed = ContinuousClock().now
                }
                told = false
            } catch {
                if !told { Output.note("the cell at \(endpoint) cannot be controlled: \(error)") }
                told = true
            }
        }
        await transport.shutdown()
    }

    /// Looks at the cell and sets shares if they should change or be renewed; whether it did.
    private func share(_ transport: Transport, renewing: Bool) async throws -> Bool {
        let state = try JSONDecoder().decode(
            State.self, from: Data(try await ask(transport, #"{"command": "state"}"#).utf8))
        var wanted = plan(state)
        if wanted == nil, renewing, state.shares == "set" { wanted = state.devices.map(\.hertz) }
        guard let wanted else { return renewing }
        let hertz = [String: Double](
            zip(state.devices.map(\.name), wanted), uniquingKeysWith: { first, _ in first })
        let request = try JSONEncoder().encode(Share(hertz: hertz, seconds: Self.lease))
        _ = try await ask(transport, String(decoding: request, as: UTF8.self))
        return true
    }

    private func ask(_ transport: Transport, _ line: String) async throws -> String {
        let answer = try await transport.ask(
            host: endpoint.host, port: endpoint.port, line: line, timeout: .seconds(2))
        struct Refusal: Decodable { let error: String }
        if let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(answer.utf8)) {
            throw CommandError(refusal.error)
        }
        return answer
    }

    /// `[devices]`, in Hz; nil where nothing should change.
    func plan(_ state: State) -> [Double]? {
        let names = state.devices.map(\.name)
        let compute = coordinator.latencies.devices
        let devices = state.devices.map { device in
            CellSharing.Device(
                link: RadioLink(
                    gain: device.gain, powerDown: Watts(state.powerDownWatts),
                    powerUp: Watts(state.powerUpWatts)),
                hertz: device.hertz,
                computeSeconds: compute[device.name]?.computeSecondsPerRow ?? 0)
        }
        let bytes = coordinator.options.codec.byteCount(rows: 1, columns: hidden) + Self.pairBytes
        return CellSharing().shares(
            devices, total: Hertz(state.totalHertz * 0.999_999),
            noise: WattsPerHertz(state.noiseWattsPerHertz),
            bitsPerRow: Bits(Double(8 * bytes) * state.slowdown),
            message: Seconds(2 * state.delaySeconds),
            rounds: coordinator.rowLog.recent.map { rows in names.map { rows[$0] ?? 0 } })
    }
}
