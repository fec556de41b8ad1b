/// What is in a registry, and the last changes of it.
///
/// Decisions only: time comes in. Whatever is asked, leases whose time is over have ended before.
package struct RegistryState: Sendable {
    private struct Lease {
        let timeToLive: Duration
        var ends: Duration
        var keys: Set<String> = []
    }

    /// What there is for a reader.
    package enum News: Equatable, Sendable {
        case update(RegistryUpdate)
        /// Nothing under the prefix up to this revision, which is the last.
        case nothing(through: Int)
    }

    /// The last change; 0 before the first.
    package private(set) var revision = 0
    private var entries: [String: RegistryEntry] = [:]
    private var leases: [RegistryLease: Lease] = [:]
    private var lastLease = 0
    /// The latest changes, one for each revision, up to `revision`.
    private var history: [RegistryUpdate] = []

    package init() {}

    /// Ends the leases whose time is over, each in a change of its own.
    ///
    /// - Complexity: O(leases) if none has ended.
    package mutating func passed(_ now: Duration) {
        let ended = leases.filter { $0.value.ends <= now }.sorted {
            ($0.value.ends, $0.key.number) < ($1.value.ends, $1.key.number)
        }
        for (lease, _) in ended { end(lease) }
    }

    /// See `Registry.grant`.
    package mutating func grant(
        timeToLive: Duration, now: Duration
    ) throws(RegistryError) -> RegistryLease {
        passed(now)
        guard RegistryLimits.timeToLive.contains(timeToLive) else {
            throw RegistryError(
                .limitExceeded,
                "a lease of \(timeToLive); it must be within \(RegistryLimits.timeToLive)")
        }
        guard leases.count < RegistryLimits.leases else {
            throw RegistryError(
                .limitExceeded, "\(leases.count) leases are granted, which is the limit")
        }
        lastLease += 1
        let lease = RegistryLease(number: lastLease)
        leases[lease] = Lease(timeToLive: timeToLive, ends: now + timeToLive)
        return lease
    }

    /// See `Registry.keepAlive`.
    package mutating func keepAlive(
        _ lease: RegistryLease, now: Duration
    ) throws(RegistryError) {
        passed(now)
        guard let found = leases[lease] else { throw Self.ended(lease) }
        leases[lease]?.ends = now + found.timeToLive
    }

    /// See `Registry.revoke`.
    package mutating func revoke(_ lease: RegistryLease, now: Duration) throws(RegistryError) {
        passed(now)
        guard leases[lease] != nil else { throw Self.ended(lease) }
        end(lease)
    }

    /// See `Registry.put`.
    package mutating func put(
        _ key: String, _ value: [UInt8], lease: RegistryLease?, expecting: Int?, now: Duration
    ) throws(RegistryError) -> Int {
        passed(now)
        try check(key, value)
        try expect(expecting, at: key)
        if let lease, leases[lease] == nil { throw Self.ended(lease) }
        guard entries[key] != nil || entries.count < RegistryLimits.entries else {
            throw RegistryError(
                .limitExceeded, "\(entries.count) keys are registered, which is the limit")
        }
        if let old = entries[key]?.lease { leases[old]?.keys.remove(key) }
        if let lease { leases[lease]?.keys.insert(key) }
        let entry = RegistryEntry(key: key, value: value, revision: revision + 1, lease: lease)
        entries[key] = entry
        remember([.put(entry)])
        return revision
    }

    /// See `Registry.delete`.
    package mutating func delete(
        _ key: String, expecting: Int?, now: Duration
    ) throws(RegistryError) -> Bool {
        passed(now)
        try expect(expecting, at: key)
        guard let entry = entries.removeValue(forKey: key) else { return false }
        if let lease = entry.lease { leases[lease]?.keys.remove(key) }
        remember([.deleted(key: key)])
        return true
    }

    /// See `Registry.entries`.
    ///
    /// - Complexity: O(entries).
    package mutating func view(under prefix: String, now: Duration) -> RegistryView {
        passed(now)
        return RegistryView(
            entries: entries.values.filter { $0.key.hasPrefix(prefix) }.sorted {
                $0.key < $1.key
            }, revision: revision)
    }

    /// The first change after a revision that is about keys under a prefix.
    ///
    /// - Throws: `compacted` if changes after it are forgotten.
    package func news(
        under prefix: String, after seen: Int
    ) throws(RegistryError) -> News {
        let forgotten = revision - history.count
        guard seen >= forgotten else {
            throw RegistryError(
                .compacted, "changes up to revision \(forgotten) are forgotten; read the entries")
        }
        for update in history.dropFirst(seen - forgotten) {
            let changes = update.changes.filter { $0.key.hasPrefix(prefix) }
            if !changes.isEmpty {
                return .update(RegistryUpdate(revision: update.revision, changes: changes))
            }
        }
        return .nothing(through: max(seen, revision))
    }

    private mutating func end(_ lease: RegistryLease) {
        let keys = leases.removeValue(forKey: lease)?.keys ?? []
        for key in keys { entries[key] = nil }
        if !keys.isEmpty { remember(keys.sorted().map { .deleted(key: $0) }) }
    }

    private mutating func remember(_ changes: [RegistryUpdate.Change]) {
        revision += 1
        history.append(RegistryUpdate(revision: revision, changes: changes))
        // Now and then, since what is behind moves up.
        if history.count >= 2 * RegistryLimits.history {
            history.removeFirst(history.count - RegistryLimits.history)
        }
    }

    private func check(_ key: String, _ value: [UInt8]) throws(RegistryError) {
        guard 1...RegistryLimits.keyBytes ~= key.utf8.count else {
            throw RegistryError(
                .limitExceeded,
                "a key of \(key.utf8.count) bytes; 1 to \(RegistryLimits.keyBytes) may be")
        }
        guard key.utf8.allSatisfy(RegistryKey.isAllowed) else {
            throw RegistryError(.invalid, "a key has a character other than printable ASCII")
        }
        guard value.count <= RegistryLimits.valueBytes else {
            throw RegistryError(
                .limitExceeded,
                "\(key): a value of \(value.count) bytes; at most \(RegistryLimits.valueBytes)")
        }
    }

    private func expect(_ expected: Int?, at key: String) throws(RegistryError) {
        let present = entries[key]?.revision ?? 0
        guard expected == nil || expected == present else {
            throw RegistryError(
                .conflict, "\(key): revision \(expected ?? 0) was expected, it is \(present)")
        }
    }

    private static func ended(_ lease: RegistryLease) -> RegistryError {
        RegistryError(.noLease, "lease \(lease.number) has ended; register anew")
    }
}
