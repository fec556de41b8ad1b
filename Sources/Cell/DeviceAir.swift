import Scenarios
package import SystemModel

/// One device of the cell: its channel over time, its share of the spectrum, and its queue.
package struct DeviceAir: Sendable {
    /// What the radio gives at a moment.
    package struct Conditions: Sendable, Equatable {
        package var distance = Metres.zero
        package var gain = 0.0
        package var isOut = false
    }

    /// How long a channel that changes is taken as constant. The fading of a device at 30 m/s and
    /// 3.5 GHz keeps its phase for about this long; slower ones change less within it.
    package static let block = Duration.milliseconds(1)

    package let name: String
    package private(set) var hertz: Hertz
    package private(set) var conditions = Conditions()
    package private(set) var queue = AirQueue(air: nil)

    private let trajectory: Trajectory
    private let link: Scenario.Link
    private let outages: [Scenario.Outage]
    private let radio: RadioLink
    private let rate: ShannonRate
    /// Airtime of a bit here over that of a bit in the emulated shape.
    private let slowdown: Double
    private var time = Duration.zero

    init(_ scenario: Scenario, device: Int, hertz: Hertz, slowdown: Double) {
        name = scenario.devices[device].name
        trajectory = scenario.trajectory(device: device)
        link = scenario.link
        let name = name
        outages = link.outages.filter { $0.device == name }
        radio = RadioLink(
            gain: 0, powerDown: scenario.radio.powerDown, powerUp: scenario.radio.powerUp)
        rate = ShannonRate(noise: NoiseDensity(scenario.radio.noise))
        self.hertz = hertz
        self.slowdown = slowdown
        sample(at: .zero)
        _ = queue.setAir(air, now: .zero)
    }

    /// What a byte takes each way at present; nil while the device is out or has no share.
    package var air: AirQueue.AirPerByte? {
        guard !conditions.isOut, hertz.value > 0 else { return nil }
        var now = radio
        now.gain = conditions.gain
        let byte = Bits(8 * slowdown)
        let (down, up) = now.airtime(down: byte, up: byte, bandwidth: hertz, rate: rate)
        // A day for a byte is as good as never, and the sum of many stays representable.
        guard max(down.value, up.value) < 86_400 else { return nil }
        return AirQueue.AirPerByte(down: .seconds(down.value), up: .seconds(up.value))
    }

    /// The next moment at which something may leave: a departure, or a change of the channel while
    /// bytes wait. Nil: only the caller can change anything.
    package var nextEvent: Duration? {
        guard !queue.isEmpty else { return nil }
        let change = isStill ? nil : time + Self.block
        guard let departure = queue.nextDeparture else { return change }
        return min(departure, change ?? departure)
    }

    /// Lets time pass, block by block of the channel.
    ///
    /// - Returns: what left until `now`, in order.
    package mutating func advance(to now: Duration) -> [AirQueue.Departure] {
        guard !isStill else {
            time = now
            return queue.advance(to: now)
        }
        var departures: [AirQueue.Departure] = []
        while !queue.isEmpty, time + Self.block <= now {
            departures += step(to: time + Self.block)
        }
        if now - time >= Self.block { departures += step(to: now) }
        return departures + queue.advance(to: now)
    }

    /// Bytes of a flow arrive.
    ///
    /// - Returns: what left until `now`, in order.
    package mutating func enqueue(
        flow: Int, direction: AirQueue.Direction, bytes: Int, now: Duration
    ) -> [AirQueue.Departure] {
        let departures = advance(to: now)
        queue.enqueue(flow: flow, direction: direction, bytes: bytes, now: now)
        return departures
    }

    /// Changes the share from `now` on.
    ///
    /// - Returns: what left until `now`, in order.
    package mutating func setShare(_ hertz: Hertz, now: Duration) -> [AirQueue.Departure] {
        let departures = advance(to: now)
        self.hertz = hertz
        return departures + queue.setAir(air, now: now)
    }

    /// Forgets a connection's direction.
    package mutating func remove(flow: Int) { queue.remove(flow: flow) }

    private var isStill: Bool { trajectory.isStill && outages.isEmpty }

    private mutating func step(to now: Duration) -> [AirQueue.Departure] {
        let departures = queue.advance(to: now)
        sample(at: now)
        return departures + queue.setAir(air, now: now)
    }

    private mutating func sample(at now: Duration) {
        time = now
        let moment = Seconds(now.seconds)
        conditions = Conditions(
            distance: trajectory.distance(at: moment), gain: trajectory.gain(at: moment),
            isOut: trajectory.fade(at: moment) < link.outageFade
                || outages.contains {
                    $0.start.value..<($0.start.value + $0.length.value) ~= moment.value
                })
    }
}
