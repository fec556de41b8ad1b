import SystemModel
import Testing

@testable import Registries

/// Random operations, against a registry as one would write it without a thought for cost: the
/// entries after every change are kept, and leases are looked through one by one.
struct RegistryModelTests {
    private struct Naive {
        struct Lease {
            var timeToLive: Int
            var ends: Int
        }

        var leases: [RegistryLease: Lease] = [:]
        /// By revision, from 0.
        var states: [[String: RegistryEntry]] = [[:]]

        var entries: [String: RegistryEntry] { states[states.count - 1] }

        mutating func passed(_ now: Int) {
            while let (lease, _) = leases.filter({ $0.value.ends <= now }).min(by: {
                ($0.value.ends, $0.key.number) < ($1.value.ends, $1.key.number)
            }) {
                end(lease)
            }
        }

        mutating func end(_ lease: RegistryLease) {
            leases[lease] = nil
            let left = entries.filter { $0.value.lease != lease }
            if left.count < entries.count { states.append(left) }
        }

        /// The changes from one revision to the next.
        func update(_ revision: Int) -> RegistryUpdate {
            let (before, after) = (states[revision - 1], states[revision])
            let keys = Set(before.keys).union(after.keys).sorted()
            return RegistryUpdate(
                revision: revision,
                changes: keys.compactMap { key in
                    guard before[key] != after[key] else { return nil }
                    return after[key].map { .put($0) } ?? .deleted(key: key)
                })
        }
    }

    private static let keys = ["a", "a/1", "a/2", "b/1", "b/2"]
    private static let prefixes = ["", "a", "a/", "b/", "c"]

    @Test(arguments: 0..<20 as Range<UInt64>)
    func anyOperations(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var (state, naive, now) = (RegistryState(), Naive(), 0)
        // A reader for each prefix: what it has seen, and what it knows by that.
        var seen = [Int](repeating: 0, count: Self.prefixes.count)
        var known = [[String: RegistryEntry]](repeating: [:], count: Self.prefixes.count)
        for step in 0..<1500 {
            let place = Comment(rawValue: "seed \(seed), step \(step)")
            now += Int.random(in: 0...2, using: &generator)
            naive.passed(now)
            Self.act(&state, &naive, now, &generator, place)
            let prefix = Int.random(in: 0..<Self.prefixes.count, using: &generator)
            let view = state.view(under: Self.prefixes[prefix], now: .seconds(now))
            #expect(state.revision == naive.states.count - 1, place)
            let expected = naive.entries.values.filter { $0.key.hasPrefix(Self.prefixes[prefix]) }
            #expect(view.entries == expected.sorted { $0.key < $1.key }, place)
            while case .update(let update) = try state.news(
                under: Self.prefixes[prefix], after: seen[prefix])
            {
                let all = naive.update(update.revision).changes
                #expect(
                    update.changes == all.filter { $0.key.hasPrefix(Self.prefixes[prefix]) }, place)
                #expect(update.revision > seen[prefix], place)
                seen[prefix] = update.revision
                for change in update.changes { Self.apply(change, to: &known[prefix]) }
            }
            #expect(known[prefix].values.sorted { $0.key < $1.key } == view.entries, place)
        }
        #expect(state.revision > 300, "seed \(seed)")
    }

    private static func apply(
        _ change: RegistryUpdate.Change, to known: inout [String: RegistryEntry]
    ) {
        switch change {
        case .put(let entry): known[entry.key] = entry
        case .deleted(let key): known[key] = nil
        }
    }

    private static func act(
        _ state: inout RegistryState, _ naive: inout Naive, _ now: Int,
        _ generator: inout SeededGenerator, _ place: Comment
    ) {
        let time = Duration.seconds(now)
        let key = keys[Int.random(in: 0..<keys.count, using: &generator)]
        let revision = naive.entries[key]?.revision ?? 0
        let expecting: Int? =
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: revision
            case 1: Int.random(in: 0...3, using: &generator)
            default: nil
            }
        // One that may have ended.
        let lease =
            Bool.random(using: &generator)
            ? RegistryLease(number: Int.random(in: 1...30, using: &generator)) : nil
        let isThere = lease.map { naive.leases[$0] != nil } ?? true
        let isExpected = expecting == nil || expecting == revision
        switch Int.random(in: 0..<8, using: &generator) {
        case 0:
            let seconds = Int.random(in: 1...40, using: &generator)
            let granted = try? state.grant(timeToLive: .seconds(seconds), now: time)
            #expect(granted != nil && granted.map { naive.leases[$0] == nil } == true, place)
            if let granted {
                naive.leases[granted] = .init(timeToLive: seconds, ends: now + seconds)
            }
        case 1:
            guard let lease else { return }
            #expect((try? state.keepAlive(lease, now: time)) != nil || !isThere, place)
            if let found = naive.leases[lease] {
                naive.leases[lease]?.ends = now + found.timeToLive
            }
        case 2:
            guard let lease else { return }
            #expect(((try? state.revoke(lease, now: time)) != nil) == isThere, place)
            if isThere { naive.end(lease) }
        case 3:
            let deleted = try? state.delete(key, expecting: expecting, now: time)
            #expect(deleted == (isExpected ? revision > 0 : nil), place)
            guard deleted == true else { return }
            var entries = naive.entries
            entries[key] = nil
            naive.states.append(entries)
        default:
            let value = [UInt8.random(in: 0...255, using: &generator)]
            let put = try? state.put(key, value, lease: lease, expecting: expecting, now: time)
            #expect(put == (isExpected && isThere ? naive.states.count : nil), place)
            guard let put else { return }
            var entries = naive.entries
            entries[key] = RegistryEntry(key: key, value: value, revision: put, lease: lease)
            naive.states.append(entries)
        }
    }
}
