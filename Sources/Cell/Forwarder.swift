import NIOCore
import Scenarios
import SystemModel

/// Moves the bytes of all connections as `CellState` says. Everything runs on one event loop.
final class Forwarder {
    /// Bytes of a flow that arrive within this time are handed over together, with the last of
    /// them.
    private static let burst = Duration.microseconds(100)

    let loop: any EventLoop
    private(set) var state: CellState
    private let link: Scenario.Link
    private var generator: SeededGenerator
    private var flows: [Int: Flow] = [:]
    private var conduits: [ObjectIdentifier: Conduit] = [:]
    private(set) var counts: [CellSnapshot.Count]
    private(set) var punctuality = CellSnapshot.Punctuality()
    private var nextFlow = 0
    private var wakeTime: Duration?
    private let start = NIODeadline.now()

    init(_ scenario: Scenario, slowdown: Double, loop: any EventLoop) {
        self.loop = loop
        state = CellState(scenario, slowdown: slowdown)
        link = scenario.link
        generator = SeededGenerator(seed: scenario.radio.seed)
        counts = scenario.devices.map { _ in CellSnapshot.Count() }
    }

    /// Since the cell began.
    var now: Duration {
        .nanoseconds(Int64((NIODeadline.now() - start).nanoseconds))
    }

    // MARK: Connections

    /// Makes a connection of a device: the dialing side sends in direction `forth`.
    ///
    /// - Returns: nil while the device is cut off, or when it has too many.
    func open(device: Int, forth: AirQueue.Direction) -> Conduit? {
        let isCut = link.resets && state.devices[device].conditions.isOut
        guard !isCut, counts[device].connections < CellLimits.connectionsPerDevice else {
            return nil
        }
        counts[device].connections += 1
        let conduit = Conduit(
            device: device, forth: Flow(id: nextFlow, device: device, direction: forth),
            back: Flow(
                id: nextFlow + 1, device: device, direction: forth == .up ? .down : .up))
        nextFlow += 2
        conduit.forth.sink = conduit.back.source
        conduit.back.sink = conduit.forth.source
        conduits[ObjectIdentifier(conduit)] = conduit
        for flow in conduit.flows { adopt(flow) }
        return conduit
    }

    /// Ends a connection at once.
    func close(_ conduit: Conduit, resets: Bool = false) {
        guard !conduit.isClosed else { return }
        conduit.isClosed = true
        counts[conduit.device].connections -= 1
        conduits[ObjectIdentifier(conduit)] = nil
        for flow in conduit.flows {
            state.remove(device: conduit.device, flow: flow.id)
            flows[flow.id] = nil
            flow.source.close(resets: resets)
        }
    }

    /// Ends all connections.
    func closeAll() {
        for conduit in conduits.values { close(conduit) }
    }

    /// Bytes of a device that are in the cell, both ways.
    func waitingBytes(device: Int) -> Int {
        flows.values.reduce(0) { $0 + ($1.device == device ? $1.held : 0) }
    }

    private func adopt(_ flow: Flow) {
        flows[flow.id] = flow
        flow.source.onBytes = { [weak self, weak flow] bytes in
            if let self, let flow { arrived(bytes, flow) }
        }
        flow.source.onEnd = { [weak self, weak flow] in
            flow?.hasEnded = true
            if let self, let flow { settle(flow) }
        }
        flow.source.onClose = { [weak self, weak flow] isBroken in
            guard let self, let flow, let conduit = flow.conduit else { return }
            // A channel whose two directions have ended closes; what it sent may be on its way.
            flow.hasEnded = true
            if isBroken || !conduit.opposite(flow).isDone {
                close(conduit, resets: true)
            } else {
                settle(flow)
            }
        }
    }

    // MARK: Bytes

    private func arrived(_ buffer: ByteBuffer, _ flow: Flow) {
        guard flow.isOpen else { return }
        let now = now
        if flow.held == 0, link.jitter.value > 0 {
            flow.jitter = .seconds(link.jitter.value * generator.uniform())
        }
        flow.append(buffer)
        if flow.held >= CellLimits.waitingBytes { flow.source.pause() }
        pass(
            state.enqueue(
                device: flow.device, flow: flow.id, direction: flow.direction,
                bytes: buffer.readableBytes, now: now))
        release(now)
    }

    /// What has left the air is under way for the link's delay.
    private func pass(_ departures: CellState.Departures) {
        for departure in departures {
            guard let flow = flows[departure.flow] else { continue }
            counts[flow.device].add(departure.bytes, flow.direction)
            flow.line.add(
                bytes: departure.bytes,
                arriving: departure.time + .seconds(link.delay.value) + flow.jitter)
        }
    }

    private func release(_ now: Duration) {
        for flow in flows.values {
            guard let due = flow.line.burstEnd(within: Self.burst), due <= now else { continue }
            flow.release(until: now, late: { punctuality.add($0) }) { [weak self] bytes in
                self?.written(bytes, of: flow)
            }
        }
        scheduleWake(now)
    }

    /// The sink's kernel took bytes, or (nil) will not take any more.
    private func written(_ bytes: Int?, of flow: Flow) {
        guard let conduit = flow.conduit else { return }
        guard let bytes else { return close(conduit, resets: true) }
        flow.held -= bytes
        settle(flow)
    }

    /// After a flow has shrunk or ended: reads go on, or the end is passed on.
    private func settle(_ flow: Flow) {
        guard flow.isOpen, let conduit = flow.conduit else { return }
        if flow.held <= CellLimits.waitingBytes / 2 { flow.source.resume() }
        flow.finishIfDone()
        if conduit.flows.allSatisfy(\.isDone) { close(conduit) }
    }

    // MARK: Time

    /// Lets time pass up to now.
    func advance() {
        let now = now
        pass(state.advance(to: now))
        for conduit in conduits.values
        where link.resets && state.devices[conduit.device].conditions.isOut {
            close(conduit, resets: true)
        }
        release(now)
    }

    /// Equal shares, or those of a request.
    func share(_ hertz: [String: Double]?, seconds: Double) throws(CellError) {
        let now = now
        pass(state.advance(to: now))
        if let hertz {
            pass(try state.setShares(hertz, seconds: seconds, now: now))
        } else {
            pass(state.setEqualShares(now: now))
        }
        release(now)
    }

    private func scheduleWake(_ now: Duration) {
        // Nothing has to be done before what is in the air has arrived, at the link's delay after
        // it has left.
        var next = state.nextEvent.map { $0 + max(.seconds(link.delay.value), Self.burst) }
        for flow in flows.values {
            guard let due = flow.line.burstEnd(within: Self.burst) else { continue }
            next = min(next ?? due, due)
        }
        guard let next else { return }
        if let wakeTime, wakeTime <= next, wakeTime > now { return }
        wakeTime = next
        loop.assumeIsolated().scheduleTask(
            in: .nanoseconds(Int64((next - now) / .nanoseconds(1)))
        ) { [weak self] in
            self?.wake()
        }
    }

    private func wake() {
        if let wakeTime, wakeTime <= now { self.wakeTime = nil }
        advance()
    }
}

@available(*, unavailable)
extension Forwarder: Sendable {}
