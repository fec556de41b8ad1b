import TestSupport
import Testing

@testable import Registries

/// The shell: readers that wait, and leases whose time passes.
struct InProcessRegistryTests {
    private static func put(_ key: String, _ value: UInt8, in registry: InProcessRegistry)
        async
        throws -> Int
    {
        try await registry.put(key, [value], lease: nil, expecting: nil)
    }

    /// A reader that begins long after changes, while others are made, sees each once.
    @Test func aReaderFromAnOldRevisionMissesAndRepeatsNothing() async throws {
        let registry = InProcessRegistry(clock: ManualClock())
        let count = 400
        for number in 0..<(count / 2) {
            _ = try await Self.put("a/\(number)", UInt8(number % 256), in: registry)
            _ = try await Self.put("b/\(number)", 0, in: registry)
        }
        let after = 100
        let reading = Task {
            var revisions: [Int] = []
            for try await update in registry.updates(under: "a/", after: after) {
                revisions.append(update.revision)
                if update.changes.map(\.key) == ["a/last"] { break }
            }
            return revisions
        }
        for number in 0..<(count / 2) {
            _ = try await Self.put("a/\(number)", 1, in: registry)
            _ = try await Self.put("b/\(number)", 1, in: registry)
        }
        let last = try await Self.put("a/last", 0, in: registry)
        let odd = stride(from: after + 1, to: last, by: 2)
        #expect(try await reading.value == Array(odd) + [last])
    }

    @Test func readersLearnOfLeasesThatEnd() async throws {
        let clock = ManualClock()
        let registry = InProcessRegistry(clock: clock)
        let lease = try await registry.grant(timeToLive: .seconds(10))
        let revision = try await registry.put("a", [1], lease: lease, expecting: 0)
        let reading = Task { () -> RegistryUpdate? in
            for try await update in registry.updates(under: "a", after: revision) { return update }
            return nil
        }
        clock.advance(by: .seconds(9))
        registry.lapse()
        try await registry.keepAlive(lease)
        clock.advance(by: .seconds(9))
        #expect(try await registry.entries(under: "").entries.count == 1)
        clock.advance(by: .seconds(1))
        registry.lapse()
        let expected = RegistryUpdate(revision: revision + 1, changes: [.deleted(key: "a")])
        #expect(try await reading.value == expected)
        let error = await #expect(throws: RegistryError.self) {
            try await registry.keepAlive(lease)
        }
        #expect(error?.code == .noLease)
    }

    @Test func aCancelledReaderEnds() async throws {
        let registry = InProcessRegistry(clock: ManualClock())
        let reading = Task {
            for try await _ in registry.updates(under: "", after: 0) {}
            return true
        }
        reading.cancel()
        #expect(try await reading.value)
    }

    @Test func aReaderThatIsTooLateIsToldSo() async throws {
        let registry = InProcessRegistry(clock: ManualClock())
        for _ in 0..<(2 * RegistryLimits.history) { _ = try await Self.put("a", 0, in: registry) }
        let error = await #expect(throws: RegistryError.self) {
            for try await _ in registry.updates(under: "a", after: 0) {}
        }
        #expect(error?.code == .compacted)
    }

    /// Whoever expects that nobody was there first is the only one.
    @Test func oneOfManyWritersWins() async throws {
        let registry = InProcessRegistry(clock: ManualClock())
        let winners = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    (try? await registry.put(
                        "leader", [UInt8(number)], lease: nil, expecting: 0)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
    }
}
