/// Whose batch a device computes next when several base stations want it: the station that was
/// served least so far (start-time fair queueing: Goyal, Vin and Cheng 1996; a station is a flow).
///
/// Decisions only. A batch is never interrupted: who asks little waits for at most the one that is
/// being computed, who asks much for others until they have had as much. A station that was idle
/// gets no credit for it.
package struct TurnState: Sendable {
    /// A base station, by its position among those that the device serves.
    package typealias Station = Int

    /// A batch, by the order of arrival.
    package typealias Ticket = Int

    private struct Waiting {
        let station: Station
        let ticket: Ticket
    }

    /// By station the seconds that it was served, raised to `now` whenever a batch of its comes.
    private var served: [Station: Double] = [:]
    /// Service at the start of the batch that is, or was last, computed.
    private var now = 0.0
    private var lastTicket = 0
    private var waiting: [Waiting] = []
    /// Whose batch is being computed.
    package private(set) var current: Station?

    package init() {}

    /// A batch came.
    ///
    /// - Returns: nil if it is to be computed at once, else a ticket that `finished` names later.
    package mutating func arrived(_ station: Station) -> Ticket? {
        served[station] = max(served[station] ?? 0, now)
        guard current != nil else {
            start(station)
            return nil
        }
        lastTicket += 1
        waiting.append(Waiting(station: station, ticket: lastTicket))
        return lastTicket
    }

    /// The current batch is done.
    ///
    /// - Parameter seconds: what it took; not negative.
    /// - Returns: the batch that is computed now; nil if none waits.
    /// - Precondition: a batch is being computed.
    /// - Complexity: O(waiting batches).
    package mutating func finished(seconds: Double) -> Ticket? {
        guard let done = current else { preconditionFailure("a batch was being computed") }
        served[done, default: 0] += seconds
        current = nil
        let next = waiting.indices.min { key(waiting[$0]) < key(waiting[$1]) }
        guard let next else { return nil }
        let batch = waiting.remove(at: next)
        start(batch.station)
        return batch.ticket
    }

    private mutating func start(_ station: Station) {
        current = station
        now = max(now, served[station] ?? 0)
    }

    private func key(_ entry: Waiting) -> (Double, Int) {
        (served[entry.station] ?? 0, entry.ticket)
    }
}
