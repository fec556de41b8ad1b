package import Scenarios
package import SystemModel

/// All devices of an emulated cell and who has how much of its spectrum.
///
/// Decisions only; `CellServer` moves the bytes. Shares that a base station sets hold for a while
/// and then fall back to equal ones, so that a base station that is gone starves nobody.
package struct CellState: Sendable {
    /// A departure and whose it is.
    package typealias Departures = [AirQueue.Departure]

    package private(set) var devices: [DeviceAir]
    package let total: Hertz
    /// How long the shares that were set still hold; nil: they are equal.
    package private(set) var sharesEnd: Duration?

    /// - Parameter slowdown: how many times longer a bit takes than in the scenario: bits of a row
    ///   in the emulated shape over bits of a row of the model that runs.
    package init(_ scenario: Scenario, slowdown: Double) {
        precondition(slowdown > 0 && slowdown.isFinite, "a slowdown is positive")
        total = scenario.radio.total
        let share = Hertz(total.value / Double(scenario.devices.count))
        devices = scenario.devices.indices.map {
            DeviceAir(scenario, device: $0, hertz: share, slowdown: slowdown)
        }
    }

    /// The next moment at which something happens; nil: nothing waits.
    package var nextEvent: Duration? {
        let next = devices.compactMap(\.nextEvent).min()
        guard let sharesEnd, devices.contains(where: { !$0.queue.isEmpty }) else { return next }
        return min(next ?? sharesEnd, sharesEnd)
    }

    /// Lets time pass for all devices.
    ///
    /// - Returns: what left until `now`, device after device.
    package mutating func advance(to now: Duration) -> Departures {
        var departures: Departures = []
        if let end = sharesEnd, end <= now { departures += setEqualShares(now: end) }
        for device in devices.indices { departures += devices[device].advance(to: now) }
        return departures
    }

    /// Bytes of a flow of a device arrive.
    ///
    /// - Returns: what left until `now`.
    package mutating func enqueue(
        device: Int, flow: Int, direction: AirQueue.Direction, bytes: Int, now: Duration
    ) -> Departures {
        let departures = advance(to: now)
        return departures
            + devices[device].enqueue(flow: flow, direction: direction, bytes: bytes, now: now)
    }

    /// Forgets a direction of a closed connection.
    package mutating func remove(device: Int, flow: Int) { devices[device].remove(flow: flow) }

    /// Every device has the same share from `now` on.
    package mutating func setEqualShares(now: Duration) -> Departures {
        sharesEnd = nil
        let share = Hertz(total.value / Double(devices.count))
        return setShares(devices.map { _ in share }, now: now)
    }

    /// Gives devices shares by name, for a while; who is not named keeps what it has.
    ///
    /// - Parameter seconds: after this long without another call, shares are equal again.
    /// - Throws: `CellError` for an unknown name, a negative share, or more than the cell has.
    package mutating func setShares(
        _ hertz: [String: Double], seconds: Double, now: Duration
    ) throws(CellError) -> Departures {
        var shares = devices.map(\.hertz)
        for (name, value) in hertz.sorted(by: { $0.key < $1.key }) {
            guard let device = devices.firstIndex(where: { $0.name == name }) else {
                throw CellError("no device is called \"\(name.prefix(60))\"")
            }
            guard value >= 0, value.isFinite else {
                throw CellError("\(name) is to have \(value) Hz; a share is 0 or more")
            }
            shares[device] = Hertz(value)
        }
        let sum = shares.reduce(0) { $0 + $1.value }
        guard sum <= total.value * (1 + 1e-9) else {
            throw CellError("the shares are \(sum) Hz together, the cell has \(total.value)")
        }
        guard seconds > 0, seconds <= CellLimits.shareSeconds else {
            throw CellError(
                "seconds is \(seconds), expected more than 0 and at most "
                    + "\(CellLimits.shareSeconds)")
        }
        sharesEnd = now + .seconds(seconds)
        return setShares(shares, now: now)
    }

    private mutating func setShares(_ shares: [Hertz], now: Duration) -> Departures {
        var departures: Departures = []
        for (device, share) in shares.enumerated() where devices[device].hertz != share {
            departures += devices[device].setShare(share, now: now)
        }
        return departures
    }
}

/// Why a cell does not do something: one line.
package struct CellError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
