/// How much of a device's memory each of its base stations has at this moment.
///
/// Decisions only. A station has its quota; one that has been away for a while lends its memory to
/// the others, in proportion to their quotas, and gets it back before it is served again. Shrinking
/// comes before growing: nobody is offered memory that somebody else still holds, and who does not
/// let go in time is made to. A station that is away for a shorter while keeps all it has, so that
/// a link that is lost for a moment changes nothing.
package struct MemoryShareState: Sendable {
    /// A base station, by its position among those that the device serves.
    package typealias Station = TurnState.Station

    /// What must be done.
    package enum Action: Equatable, Sendable {
        /// The station may have so many bytes from now on; 0: none, until it is back. It is told
        /// if it is served, and else what no longer fits goes at once.
        case offer(Station, bytes: Int)
        /// The station had its time to let go: what does not fit into its offer goes.
        case cut(Station)
    }

    private struct Part {
        let quota: Int
        /// Nil while it is there.
        var awaySince: Duration?
        var offered: Int
        /// Bytes of the experts that it has here, or that are coming.
        var held = 0
        /// Since when it holds more than it is offered.
        var excessSince: Duration?

        /// What nobody else can have.
        var occupied: Int { max(offered, held) }
    }

    /// How long a station may be away before it lends its memory; nil: for ever.
    private let lendAfter: Duration?
    /// How long a station has to let go.
    private let patience: Duration
    private var parts: [Part]

    /// All stations are away at first, and each has its quota.
    ///
    /// - Parameters:
    ///   - quotas: by station, in bytes (`MemoryQuotas`).
    ///   - patience: less than a base station waits for a device to say hello.
    package init(
        quotas: [Int], lendAfter: Duration?, patience: Duration = .seconds(2), now: Duration
    ) {
        self.lendAfter = lendAfter
        self.patience = patience
        parts = quotas.map { Part(quota: $0, awaySince: now, offered: $0) }
    }

    /// Bytes that the station may have.
    package func offered(_ station: Station) -> Int { parts[station].offered }

    /// Whether it is there and has at least its quota, so that it can be served.
    package func isServed(_ station: Station) -> Bool {
        parts[station].awaySince == nil && parts[station].offered >= parts[station].quota
    }

    /// The station is there, or has gone.
    package mutating func showed(
        _ station: Station, isPresent: Bool, now: Duration
    ) -> [Action] {
        if isPresent {
            parts[station].awaySince = nil
        } else if parts[station].awaySince == nil {
            parts[station].awaySince = now
        }
        return passed(now)
    }

    /// The experts that the station has here, or that are coming, are so many bytes now.
    package mutating func holds(_ station: Station, bytes: Int, now: Duration) -> [Action] {
        parts[station].held = bytes
        return passed(now)
    }

    /// Time passed.
    ///
    /// - Complexity: O(stations).
    package mutating func passed(_ now: Duration) -> [Action] {
        let wanted = wanted(now)
        return shrink(to: wanted) + cut(now, to: wanted) + grow(to: wanted)
    }

    /// What each station is to have; as it is while all have been away for long.
    private func wanted(_ now: Duration) -> [Int] {
        let isLending = parts.map { part in
            guard let lendAfter, let since = part.awaySince else { return false }
            return now - since >= lendAfter
        }
        func quotas(lending: Bool) -> Int {
            zip(parts, isLending).reduce(0) { $0 + ($1.1 == lending ? $1.0.quota : 0) }
        }
        let (lent, others) = (quotas(lending: true), quotas(lending: false))
        guard others > 0 else { return parts.map(\.offered) }
        return zip(parts, isLending).map { part, isLending in
            // Wide, since the product of two memories is more than 64 bits.
            isLending
                ? 0 : part.quota + Int(Int128(lent) * Int128(part.quota) / Int128(others))
        }
    }

    private mutating func shrink(to wanted: [Int]) -> [Action] {
        parts.indices.compactMap { station in
            guard wanted[station] < parts[station].offered else { return nil }
            parts[station].offered = wanted[station]
            if parts[station].awaySince != nil {
                parts[station].held = min(parts[station].held, wanted[station])
            }
            return .offer(station, bytes: wanted[station])
        }
    }

    private mutating func cut(_ now: Duration, to wanted: [Int]) -> [Action] {
        parts.indices.compactMap { station in
            // What it is to have it need not let go first.
            guard parts[station].held > max(parts[station].offered, wanted[station]) else {
                parts[station].excessSince = nil
                return nil
            }
            let since = parts[station].excessSince ?? now
            parts[station].excessSince = since
            guard now - since >= patience else { return nil }
            parts[station].held = parts[station].offered
            parts[station].excessSince = nil
            return .cut(station)
        }
    }

    private mutating func grow(to wanted: [Int]) -> [Action] {
        var free = parts.reduce(0) { $0 + $1.quota - $1.occupied }
        return parts.indices.compactMap { station in
            let part = parts[station]
            let needed = max(part.held, wanted[station]) - part.occupied
            guard wanted[station] > part.offered, needed <= free else { return nil }
            free -= needed
            parts[station].offered = wanted[station]
            return .offer(station, bytes: wanted[station])
        }
    }
}
