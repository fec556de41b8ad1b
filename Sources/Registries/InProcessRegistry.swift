import Synchronization
package import SystemModel

/// The registry of a process alone: `RegistryState` behind a lock.
///
/// Whatever is asked of it looks at the time first, so that nobody sees a lease that is over.
/// Readers of changes learn of leases that end meanwhile by `lapse`.
package final class InProcessRegistry: Registry {
    private struct State {
        var registry = RegistryState()
        /// Of readers that wait.
        var bells: [Int: AsyncStream<Void>.Continuation] = [:]
        var lastBell = 0
    }

    private let state = Mutex(State())
    private let clock: any MonotonicClock

    package init(clock: any MonotonicClock) {
        self.clock = clock
    }

    /// Ends the leases whose time is over. To be called every second or so.
    package func lapse() {
        change { $0.passed($1) }
    }

    package func grant(timeToLive: Duration) async throws(RegistryError) -> RegistryLease {
        try change { (state, now) throws(RegistryError) in
            try state.grant(timeToLive: timeToLive, now: now)
        }
    }

    package func keepAlive(_ lease: RegistryLease) async throws(RegistryError) {
        try change { (state, now) throws(RegistryError) in try state.keepAlive(lease, now: now) }
    }

    package func revoke(_ lease: RegistryLease) async throws(RegistryError) {
        try change { (state, now) throws(RegistryError) in try state.revoke(lease, now: now) }
    }

    package func put(
        _ key: String, _ value: [UInt8], lease: RegistryLease?, expecting: Int?
    ) async throws(RegistryError) -> Int {
        try change { (state, now) throws(RegistryError) in
            try state.put(key, value, lease: lease, expecting: expecting, now: now)
        }
    }

    package func delete(_ key: String, expecting: Int?) async throws(RegistryError) -> Bool {
        try change { (state, now) throws(RegistryError) in
            try state.delete(key, expecting: expecting, now: now)
        }
    }

    package func entries(under prefix: String) async throws(RegistryError) -> RegistryView {
        change { $0.view(under: prefix, now: $1) }
    }

    package func updates(under prefix: String, after revision: Int) -> RegistryUpdates {
        RegistryUpdates(after: revision) { try await self.next(under: prefix, after: $0) }
    }

    /// Does something to the state, then wakes readers if that made news.
    private func change<Value: Sendable, Failure: Error>(
        _ body: (inout RegistryState, Duration) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let now = clock.now
        return try state.withLock { (state) throws(Failure) in
            let before = state.registry.revision
            defer {
                if state.registry.revision != before {
                    for bell in state.bells.values { bell.yield() }
                }
            }
            return try body(&state.registry, now)
        }
    }

    private func next(
        under prefix: String, after revision: Int
    ) async throws -> RegistryUpdate? {
        let (rings, bell) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.lastBell += 1
            state.bells[state.lastBell] = bell
            return state.lastBell
        }
        defer { state.withLock { _ = $0.bells.removeValue(forKey: number) } }
        var seen = revision
        bell.yield()
        for await _ in rings {
            switch try state.withLock({ try $0.registry.news(under: prefix, after: seen) }) {
            case .update(let update): return update
            case .nothing(let through): seen = through
            }
        }
        return nil
    }
}
