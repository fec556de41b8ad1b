package import SystemModel

/// One layer's round: which shipments are out at which devices, and until when.
///
/// Decisions only: `RemoteExperts` sends, waits and computes as it is told.
package struct DispatchState: Sendable {
    /// A parcel of rows that a device was asked to compute.
    package struct Outstanding: Sendable, Equatable {
        /// Position of the shipment in the round.
        package let shipment: Int
        package let device: DeviceID
        /// When it was sent.
        package let sent: Duration
        /// When somebody else computes it.
        package let deadline: Duration
    }

    private var outstanding: [UInt64: Outstanding] = [:]

    package init() {}

    /// Whether every shipment has been answered or taken back.
    package var isDone: Bool { outstanding.isEmpty }
    /// What is out, in no order.
    var entries: some Sequence<Outstanding> { outstanding.values }
    /// The next moment at which a device becomes late; nil if nothing is out.
    package var nextDeadline: Duration? { outstanding.values.map(\.deadline).min() }

    /// A shipment went out under that request number.
    package mutating func sent(_ request: UInt64, _ entry: Outstanding) {
        precondition(outstanding[request] == nil, "request numbers are used once")
        outstanding[request] = entry
    }

    /// An answer came: the shipment it belongs to, or nil if nobody waits for it (it was late).
    package mutating func answered(_ request: UInt64, by device: DeviceID) -> Outstanding? {
        guard outstanding[request]?.device == device else { return nil }
        return outstanding.removeValue(forKey: request)
    }

    /// A device is gone: its shipments, in order, are to be computed by somebody else.
    package mutating func lost(_ device: DeviceID) -> [Outstanding] {
        takeBack { $0.device == device }
    }

    /// Time passed: the shipments that are late now, in order.
    package mutating func expired(now: Duration) -> [Outstanding] {
        takeBack { $0.deadline <= now }
    }

    private mutating func takeBack(_ condition: (Outstanding) -> Bool) -> [Outstanding] {
        let taken = outstanding.filter { condition($0.value) }
        for request in taken.keys { outstanding[request] = nil }
        return taken.values.sorted { $0.shipment < $1.shipment }
    }
}
