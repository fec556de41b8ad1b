import Testing

@testable import Registries

/// The notions of a registry, with a time that the tests make.
struct RegistryStateTests {
    private static func code(_ body: () throws -> Void) -> RegistryError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? RegistryError)?.code
        }
    }

    private static func put(
        _ key: String, _ value: UInt8 = 0, _ lease: RegistryLease? = nil, expecting: Int? = nil,
        at seconds: Int = 0, in state: inout RegistryState
    ) throws -> Int {
        try state.put(key, [value], lease: lease, expecting: expecting, now: .seconds(seconds))
    }

    @Test func everyChangeHasARevision() throws {
        var state = RegistryState()
        #expect(try Self.put("a/1", 1, in: &state) == 1)
        #expect(try Self.put("a/1", 2, in: &state) == 2)
        #expect(try Self.put("b", 3, in: &state) == 3)
        #expect(try state.delete("a/1", expecting: nil, now: .zero))
        #expect(try !state.delete("a/1", expecting: nil, now: .zero), "nothing changes")
        let view = state.view(under: "", now: .zero)
        #expect(view.revision == 4 && view.entries.map(\.key) == ["b"])
        #expect(view.entries.map(\.revision) == [3] && view.entries[0].value == [3])
    }

    @Test func entriesAreFoundByPrefixInOrder() throws {
        var state = RegistryState()
        for key in ["b/2", "a", "b/1", "ba", "b/10"] { _ = try Self.put(key, in: &state) }
        let keys = state.view(under: "b/", now: .zero).entries.map(\.key)
        #expect(keys == ["b/1", "b/10", "b/2"])
    }

    @Test func whoExpectsAnotherEntryIsRefused() throws {
        var state = RegistryState()
        #expect(Self.code { _ = try Self.put("a", expecting: 1, in: &state) } == .conflict)
        #expect(try Self.put("a", expecting: 0, in: &state) == 1)
        #expect(Self.code { _ = try Self.put("a", expecting: 0, in: &state) } == .conflict)
        #expect(try Self.put("a", expecting: 1, in: &state) == 2)
        #expect(Self.code { _ = try state.delete("a", expecting: 1, now: .zero) } == .conflict)
        #expect(try state.delete("a", expecting: 2, now: .zero))
        #expect(try Self.put("a", expecting: 0, in: &state) == 4)
    }

    @Test func keysGoWithTheirLease() throws {
        var state = RegistryState()
        let lease = try state.grant(timeToLive: .seconds(10), now: .zero)
        _ = try Self.put("b", 1, lease, in: &state)
        _ = try Self.put("a", 1, lease, in: &state)
        _ = try Self.put("stays", in: &state)
        #expect(state.view(under: "", now: .seconds(9)).entries.count == 3)
        try state.keepAlive(lease, now: .seconds(9))
        #expect(state.view(under: "", now: .seconds(18)).entries.count == 3)
        let view = state.view(under: "", now: .seconds(19))
        #expect(view.entries.map(\.key) == ["stays"] && view.revision == 4, "one change")
        #expect(
            try state.news(under: "", after: 3)
                == .update(
                    RegistryUpdate(
                        revision: 4, changes: [.deleted(key: "a"), .deleted(key: "b")])))
        #expect(Self.code { try state.keepAlive(lease, now: .seconds(19)) } == .noLease)
        #expect(Self.code { try state.revoke(lease, now: .seconds(19)) } == .noLease)
        #expect(
            Self.code { _ = try Self.put("c", 1, lease, at: 19, in: &state) } == .noLease)
    }

    /// A key that was written without its lease, or with another, outlives it.
    @Test func aKeyGoesWithItsLastLeaseOnly() throws {
        var state = RegistryState()
        let (first, second) = (
            try state.grant(timeToLive: .seconds(10), now: .zero),
            try state.grant(timeToLive: .seconds(20), now: .zero)
        )
        _ = try Self.put("a", 1, first, in: &state)
        _ = try Self.put("b", 1, first, in: &state)
        _ = try Self.put("a", 2, second, in: &state)
        _ = try Self.put("b", 2, in: &state)
        try state.revoke(first, now: .zero)
        #expect(state.view(under: "", now: .seconds(19)).entries.map(\.key) == ["a", "b"])
        #expect(state.view(under: "", now: .seconds(20)).entries.map(\.key) == ["b"])
    }

    @Test func whatIsForgottenIsSaidToBe() throws {
        var state = RegistryState()
        for number in 0..<(2 * RegistryLimits.history) {
            _ = try Self.put("a/\(number % 7)", in: &state)
        }
        #expect(Self.code { _ = try state.news(under: "a/", after: 0) } == .compacted)
        let last = state.revision
        #expect(try state.news(under: "b/", after: last - 1) == .nothing(through: last))
        let oldest = last - RegistryLimits.history
        guard case .update(let update) = try state.news(under: "a/", after: oldest) else {
            Issue.record("the oldest change that is remembered")
            return
        }
        #expect(update.revision == oldest + 1)
    }

    @Test func limitsAreNamed() throws {
        var state = RegistryState()
        let long = String(repeating: "k", count: RegistryLimits.keyBytes + 1)
        #expect(Self.code { _ = try Self.put(long, in: &state) } == .limitExceeded)
        #expect(Self.code { _ = try Self.put("", in: &state) } == .limitExceeded)
        #expect(Self.code { _ = try Self.put("a b", in: &state) } == .invalid)
        #expect(Self.code { _ = try Self.put("é", in: &state) } == .invalid)
        let value = [UInt8](repeating: 0, count: RegistryLimits.valueBytes + 1)
        #expect(
            Self.code {
                _ = try state.put("a", value, lease: nil, expecting: nil, now: .zero)
            } == .limitExceeded)
        for time in [Duration.milliseconds(999), .seconds(3601)] {
            #expect(
                Self.code { _ = try state.grant(timeToLive: time, now: .zero) }
                    == .limitExceeded)
        }
        for number in 0..<RegistryLimits.entries { _ = try Self.put("\(number)", in: &state) }
        #expect(Self.code { _ = try Self.put("more", in: &state) } == .limitExceeded)
        _ = try Self.put("0", 1, in: &state)
        for _ in 0..<RegistryLimits.leases {
            _ = try state.grant(timeToLive: .seconds(10), now: .zero)
        }
        #expect(
            Self.code { _ = try state.grant(timeToLive: .seconds(10), now: .zero) }
                == .limitExceeded)
        _ = try state.grant(timeToLive: .seconds(10), now: .seconds(10))
    }

    @Test func anyNameMakesAKey() throws {
        #expect(RegistryKey.key("stations/", "[::1]:7070") == "stations/[::1]:7070")
        #expect(RegistryKey.key("devices/", "a/b %☂\u{1}") == "devices/a%2Fb%20%25%E2%98%82%01")
        var state = RegistryState()
        let key = RegistryKey.key("devices/", String(repeating: "☂", count: 42))
        #expect(try Self.put(key, in: &state) == 1)
    }
}
