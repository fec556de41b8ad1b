/// One device's share of the air as a queue: bytes in, moments of departure out.
///
/// Half duplex: the share carries one packet at a time, in either direction, each at its own
/// direction's rate. The flows (a direction of a connection each) that have bytes waiting take
/// turns, packet by packet, so that a long transfer delays a short one by a packet and not by its
/// backlog.
/// Decisions only: time is what the caller says it is, and however seldom it asks, the moments are
/// the same. Ours.
package struct AirQueue: Sendable {
    /// Which way bytes travel.
    package enum Direction: Sendable, Hashable {
        /// Base station to device.
        case down
        /// Device to base station.
        case up
    }

    /// Bytes of a flow whose last bit has left at `time`.
    package struct Departure: Sendable, Equatable {
        package let flow: Int
        package let bytes: Int
        package let time: Duration

        package init(flow: Int, bytes: Int, time: Duration) {
            self.flow = flow
            self.bytes = bytes
            self.time = time
        }
    }

    /// What a byte takes each way; nil: nothing passes.
    package struct AirPerByte: Sendable, Equatable {
        package var down: Duration
        package var up: Duration

        package init(down: Duration, up: Duration) {
            self.down = down
            self.up = up
        }

        subscript(direction: Direction) -> Duration { direction == .down ? down : up }
    }

    /// Most bytes that one flow sends before the next has its turn: an Ethernet packet's.
    package static let packetBytes = 1_500

    private struct Packet {
        let flow: Int
        let direction: Direction
        let bytes: Int
        /// The time in the air that is left, at the rate that was last in force.
        var left: Duration
    }

    /// Bytes not yet in the air. A flow that has some is in `turns`, or its packet is in the air.
    private var waiting: [Int: Int] = [:]
    private var turns: [(flow: Int, direction: Direction)] = []
    private var packet: Packet?
    private var air: AirPerByte
    private var isOpen: Bool
    private var time = Duration.zero
    /// Time that each direction has been in the air.
    package private(set) var airtime = AirPerByte(down: .zero, up: .zero)

    /// - Parameter air: at the beginning, which is time zero; nil: nothing passes yet.
    package init(air: AirPerByte?) {
        self.air = air ?? AirPerByte(down: .zero, up: .zero)
        isOpen = air != nil
    }

    /// Whether there is nothing to send.
    package var isEmpty: Bool { packet == nil }

    /// When the packet in the air will have left, at the present rate; nil: none will.
    package var nextDeparture: Duration? {
        guard isOpen, let packet else { return nil }
        return time + packet.left
    }

    /// Bytes of a flow arrive.
    ///
    /// - Precondition: the queue was advanced to `now`, unless it is empty.
    package mutating func enqueue(
        flow: Int, direction: Direction, bytes: Int, now: Duration
    ) {
        precondition(now == time || isEmpty && now > time, "a queue is advanced before it grows")
        guard bytes > 0 else { return }
        if isEmpty { time = now }
        if let rest = waiting[flow] {
            waiting[flow] = rest + bytes
        } else {
            waiting[flow] = bytes
            if packet?.flow != flow { turns.append((flow, direction)) }
        }
        beginPacket()
    }

    /// Lets time pass.
    ///
    /// - Returns: what left until `now`, in order.
    package mutating func advance(to now: Duration) -> [Departure] {
        var departures: [Departure] = []
        while let packet = self.packet, isOpen, time + packet.left <= now {
            time += packet.left
            count(packet.left, packet.direction)
            departures.append(Departure(flow: packet.flow, bytes: packet.bytes, time: time))
            self.packet = nil
            if waiting[packet.flow] != nil { turns.append((packet.flow, packet.direction)) }
            beginPacket()
        }
        if isOpen, let direction = packet?.direction {
            packet?.left -= now - time
            count(now - time, direction)
        }
        time = max(time, now)
        return departures
    }

    /// Changes the rates from `now` on; the packet in the air goes on at the new one.
    ///
    /// - Parameter air: nil: nothing passes until the next change.
    /// - Returns: what left until `now`, in order.
    package mutating func setAir(_ air: AirPerByte?, now: Duration) -> [Departure] {
        let departures = advance(to: now)
        isOpen = air != nil
        guard let air, air != self.air else { return departures }
        if let packet {
            let old = self.air[packet.direction]
            let new = air[packet.direction]
            self.packet?.left =
                old == .zero ? new * packet.bytes : packet.left * (new / old)
        }
        self.air = air
        return departures
    }

    /// Forgets a flow; a packet of it that is in the air stays there, and its departure is told.
    package mutating func remove(flow: Int) {
        waiting[flow] = nil
        turns.removeAll { $0.flow == flow }
    }

    private mutating func beginPacket() {
        guard packet == nil, let turn = turns.first else { return }
        turns.removeFirst()
        let rest = waiting[turn.flow] ?? 0
        let bytes = min(rest, Self.packetBytes)
        waiting[turn.flow] = rest > bytes ? rest - bytes : nil
        packet = Packet(
            flow: turn.flow, direction: turn.direction, bytes: bytes,
            left: air[turn.direction] * bytes)
    }

    private mutating func count(_ duration: Duration, _ direction: Direction) {
        switch direction {
        case .down: airtime.down += duration
        case .up: airtime.up += duration
        }
    }
}
