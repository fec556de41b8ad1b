import NIOCore
import Scenarios
import SystemModel

/// What lives on the cell's event loop: the forwarder, and its regular look at the channel.
final class CellLoop {
    /// How often idle devices' channels are looked at, for outages and traces.
    private static let interval = TimeAmount.milliseconds(10)

    let forwarder: Forwarder
    var controlConnections = 0
    private let scenario: Scenario
    private let slowdown: Double
    private var ticks = 0
    private let snapshots: AsyncStream<CellSnapshot>.Continuation
    private var isRunning = true

    init(
        _ scenario: Scenario, slowdown: Double, loop: any EventLoop,
        snapshots: AsyncStream<CellSnapshot>.Continuation
    ) {
        self.snapshots = snapshots
        forwarder = Forwarder(scenario, slowdown: slowdown, loop: loop)
        self.scenario = scenario
        self.slowdown = slowdown
    }

    /// Looks at the channel from now on.
    ///
    /// - Parameter stride: how many looks lie between two snapshots.
    func look(stride: Int) {
        guard isRunning else { return }
        forwarder.advance()
        if ticks.isMultiple(of: stride) { snapshots.yield(snapshot()) }
        ticks += 1
        forwarder.loop.assumeIsolated().scheduleTask(in: Self.interval) { [weak self] in
            self?.look(stride: stride)
        }
    }

    func stop() {
        isRunning = false
        snapshots.finish()
        forwarder.closeAll()
    }

    func snapshot() -> CellSnapshot {
        let state = forwarder.state
        return CellSnapshot(
            seconds: forwarder.now.seconds, totalHertz: state.total.value,
            noiseWattsPerHertz: scenario.radio.noise.value,
            powerDownWatts: scenario.radio.powerDown.value,
            powerUpWatts: scenario.radio.powerUp.value, slowdown: slowdown,
            delaySeconds: scenario.link.delay.value,
            shares: state.sharesEnd == nil ? "equal" : "set",
            punctuality: forwarder.punctuality,
            devices: state.devices.indices.map { index in
                CellSnapshot.Device(
                    state.devices[index], forwarder.counts[index],
                    waitingBytes: forwarder.waitingBytes(device: index))
            })
    }
}

extension CellSnapshot.Device {
    fileprivate init(_ device: DeviceAir, _ count: CellSnapshot.Count, waitingBytes: Int) {
        name = device.name
        distanceMetres = device.conditions.distance.value
        gain = device.conditions.gain
        hertz = device.hertz.value
        bitsPerSecondDown = device.air.map { 8 / $0.down.seconds } ?? 0
        bitsPerSecondUp = device.air.map { 8 / $0.up.seconds } ?? 0
        isOut = device.conditions.isOut
        connections = count.connections
        bytesDown = count.bytesDown
        bytesUp = count.bytesUp
        self.waitingBytes = waitingBytes
        airSecondsDown = device.queue.airtime.down.seconds
        airSecondsUp = device.queue.airtime.up.seconds
    }
}

@available(*, unavailable)
extension CellLoop: Sendable {}
