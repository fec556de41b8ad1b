package import Registries
import Synchronization
package import SystemModel

/// Divides a device's memory among the workers of its base stations by who is registered:
/// `MemoryShareState` decides, this does.
///
/// A worker whose link is up registers its station under `stations/`, with a lease that is kept
/// alive until the session ends. What is registered there is what counts; `run` reads it.
package final class MemorySharing: Sendable {
    /// Under which stations are registered.
    package static let prefix = "stations/"
    /// How long an entry outlives the last sign of life.
    private static let timeToLive = Duration.seconds(10)

    /// A base station of the device.
    package struct Station: Sendable {
        /// What it is registered by, as its address.
        package let name: String
        /// Its part of the memory, in bytes.
        package let quotaBytes: Int

        package init(name: String, quotaBytes: Int) {
            self.name = name
            self.quotaBytes = quotaBytes
        }
    }

    private struct State {
        var shares: MemoryShareState
        var leases: [MemoryShareState.Station: RegistryLease] = [:]
        var handlers: [MemoryShareState.Station: MemoryPart.Handler] = [:]
        /// Workers that wait until they can be served.
        var waiting: [MemoryShareState.Station: AsyncStream<Never>.Continuation] = [:]
    }

    private let stations: [Station]
    private let registry: any Registry
    private let clock: any MonotonicClock
    private let report: @Sendable (MemoryShareState.Action) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - lendAfter: how long a station may be away before others get its memory; nil: for ever.
    ///   - report: for people; must not block.
    package init(
        _ stations: [Station], lendAfter: Duration?, registry: any Registry,
        clock: any MonotonicClock,
        report: @escaping @Sendable (MemoryShareState.Action) -> Void = { _ in }
    ) {
        self.stations = stations
        self.registry = registry
        self.clock = clock
        self.report = report
        state = Mutex(
            State(
                shares: MemoryShareState(
                    quotas: stations.map(\.quotaBytes), lendAfter: lendAfter, now: clock.now)))
    }

    /// A station's part, for its worker.
    package func part(of station: MemoryShareState.Station) -> MemoryPart {
        MemoryPart(sharing: self, station: station)
    }

    /// Reads who is registered until it is cancelled. Nobody is served before.
    package func run() async throws {
        while !Task.isCancelled {
            let view = try await registry.entries(under: Self.prefix)
            let keys = Set(view.entries.map(\.key))
            for station in stations.indices {
                showed(key(station), isPresent: keys.contains(key(station)))
            }
            do {
                for try await update in registry.updates(
                    under: Self.prefix, after: view.revision)
                {
                    for change in update.changes {
                        switch change {
                        case .put(let entry): showed(entry.key, isPresent: true)
                        case .deleted(let key): showed(key, isPresent: false)
                        }
                    }
                }
            } catch let error as RegistryError where error.code == .compacted {}
        }
    }

    /// Keeps leases alive, and looks whether it is time for something. To be called about twice a
    /// second.
    package func glance() async throws {
        for (station, lease) in state.withLock({ $0.leases }) {
            // As after the whole machine was stopped for a while.
            if try await hasEnded(lease) { try await register(station, insteadOf: lease) }
        }
        decide { $0.passed($1) }
    }

    /// Gives a sign of life.
    private func hasEnded(_ lease: RegistryLease) async throws(RegistryError) -> Bool {
        do throws(RegistryError) {
            try await registry.keepAlive(lease)
            return false
        } catch {
            guard error.code == .noLease else { throw error }
            return true
        }
    }

    private func key(_ station: MemoryShareState.Station) -> String {
        RegistryKey.key(Self.prefix, stations[station].name)
    }

    private func showed(_ key: String, isPresent: Bool) {
        guard let station = stations.indices.first(where: { self.key($0) == key }) else { return }
        decide { $0.showed(station, isPresent: isPresent, now: $1) }
    }

    /// Actions are performed under the lock, so that they are in the order of the decisions; none
    /// of them blocks.
    private func decide(
        _ event: (inout MemoryShareState, Duration) -> [MemoryShareState.Action]
    ) {
        let now = clock.now
        state.withLock { state in
            for action in event(&state.shares, now) {
                switch action {
                case .offer(let station, _), .cut(let station): state.handlers[station]?(action)
                }
                report(action)
            }
            for station in state.waiting.keys where state.shares.isServed(station) {
                state.waiting.removeValue(forKey: station)?.finish()
            }
        }
    }
}

/// What a part's worker does.
extension MemorySharing {
    fileprivate func attach(
        _ station: MemoryShareState.Station, _ handler: @escaping MemoryPart.Handler
    ) -> Int {
        state.withLock { state in
            state.handlers[station] = handler
            return state.shares.offered(station)
        }
    }

    fileprivate func arrive(_ station: MemoryShareState.Station) async throws {
        try await register(station, insteadOf: nil)
        let (never, waiter) = AsyncStream.makeStream(of: Never.self)
        state.withLock { $0.waiting[station] = waiter }
        decide { $0.passed($1) }
        for await _ in never {}
        try Task.checkCancellation()
    }

    /// - Parameter old: the lease that has ended; nothing is done if it is no longer the station's.
    private func register(
        _ station: MemoryShareState.Station, insteadOf old: RegistryLease?
    ) async throws {
        let lease = try await registry.grant(timeToLive: Self.timeToLive)
        let isWanted = state.withLock { state in
            guard state.leases[station] == old else { return false }
            state.leases[station] = lease
            return true
        }
        guard isWanted else { return try await registry.revoke(lease) }
        try await put(station, lease)
    }

    /// A lease may have ended meanwhile: with the session, or by its time, and then `glance`
    /// registers anew.
    private func put(
        _ station: MemoryShareState.Station, _ lease: RegistryLease
    ) async throws(RegistryError) {
        let value = "{\"quotaBytes\":\(stations[station].quotaBytes)}"
        do throws(RegistryError) {
            try await registry.put(key(station), Array(value.utf8), lease: lease, expecting: nil)
        } catch {
            guard error.code == .noLease else { throw error }
        }
    }

    fileprivate func leave(_ station: MemoryShareState.Station) async {
        let lease = state.withLock { state in
            state.waiting[station] = nil
            return state.leases.removeValue(forKey: station)
        }
        // If it has ended already, so much the better.
        if let lease { try? await registry.revoke(lease) }
    }

    fileprivate func holds(_ station: MemoryShareState.Station, _ bytes: Int) {
        decide { $0.holds(station, bytes: bytes, now: $1) }
    }
}

/// One base station's part of a device's memory, as its worker has it.
package struct MemoryPart: Sendable {
    /// Is told what becomes of the part; must not block, nor call the part.
    package typealias Handler = @Sendable (MemoryShareState.Action) -> Void

    fileprivate let sharing: MemorySharing
    let station: MemoryShareState.Station

    /// From now on the handler is told.
    ///
    /// - Returns: the part's bytes at this moment.
    func attach(_ handler: @escaping Handler) -> Int { sharing.attach(station, handler) }

    /// The base station is there. Returns when the part has what it is owed.
    ///
    /// - Throws: `RegistryError`, or if the task is cancelled.
    func arrive() async throws { try await sharing.arrive(station) }

    /// The session is over.
    func leave() async { await sharing.leave(station) }

    /// The experts that are here, or coming, are so many bytes now.
    func holds(_ bytes: Int) { sharing.holds(station, bytes) }
}
