import SystemModel
import TestSupport
import Testing

@testable import Coordinator

/// What devices keep on disk: within its room, nothing twice, and enough for any one loss.
struct DiskAheadTests {
    private static let shape = ModelShape(
        layers: 4, experts: 6, expertsPerToken: 2, hidden: 8, expertBytes: [10, 0, 20, 10])
    private static let all = [0, 2, 3].flatMap { layer in
        (0..<6).map { ExpertID(layer: layer, expert: $0) }
    }

    private static func bytes(_ experts: some Sequence<ExpertID>) -> Int {
        experts.reduce(0) { $0 + shape.expertBytes[$1.layer] }
    }

    /// Devices that hold random experts, with disks of up to `largest` bytes.
    private static func devices(
        _ generator: inout SeededGenerator, largest: Double
    ) -> [DiskAhead.Device] {
        (0..<2 + Int(4 * generator.uniform())).map { _ in
            DiskAhead.Device(
                held: Set(all.filter { _ in generator.uniform() < 0.3 }),
                stored: Set(all.filter { _ in generator.uniform() < 0.2 }),
                roomBytes: Int(largest * generator.uniform()) - 20)
        }
    }

    private static func popularity(_ generator: inout SeededGenerator) -> [[Double]]? {
        guard generator.uniform() < 0.7 else { return nil }
        return shape.expertBytes.map { bytes in
            bytes == 0 ? [] : (0..<6).map { _ in generator.uniform() }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func disksAreNeverExceededAndNothingIsHeldTwice(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let devices = Self.devices(&generator, largest: 200)
        let resident = Set(Self.all.filter { _ in generator.uniform() < 0.1 })
        let kept = DiskAhead.plan(
            Self.shape, devices, resident: resident, popularity: Self.popularity(&generator))
        #expect(kept.count == devices.count)
        for (device, kept) in zip(devices, kept) {
            #expect(Self.bytes(kept) <= max(0, device.roomBytes), "seed \(seed)")
            #expect(Set(kept).count == kept.count, "seed \(seed)")
            #expect(device.held.isDisjoint(with: kept), "seed \(seed)")
            #expect(resident.isDisjoint(with: kept), "seed \(seed)")
        }
    }

    /// An expert is left off every disk only where no disk has room for it.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func roomIsUsed(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let devices = Self.devices(&generator, largest: 200)
        let kept = DiskAhead.plan(
            Self.shape, devices, popularity: Self.popularity(&generator))
        for id in Self.all {
            let places = devices.indices.filter {
                devices[$0].held.contains(id) || kept[$0].contains(id)
            }
            guard places.count < min(DiskAhead.mostPlaces, devices.count) else { continue }
            for number in devices.indices where !places.contains(number) {
                let left = devices[number].roomBytes - Self.bytes(kept[number])
                #expect(left < Self.shape.expertBytes[id.layer], "seed \(seed), \(id)")
            }
        }
    }

    /// With large disks the loss of any one device leaves nothing to ship.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func anyOneDeviceMayBeLost(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let devices = Self.devices(&generator, largest: 0).map { device in
            DiskAhead.Device(held: device.held, stored: device.stored, roomBytes: 1_000)
        }
        let kept = DiskAhead.plan(
            Self.shape, devices, popularity: Self.popularity(&generator))
        for lost in devices.indices {
            for id in devices[lost].held {
                let isThere = devices.indices.contains { other in
                    other != lost && (devices[other].held.contains(id) || kept[other].contains(id))
                }
                #expect(isThere, "seed \(seed), lost \(lost), \(id)")
            }
        }
    }

    /// The popular ones of those that only one device holds have what room there is.
    @Test func thePopularComeFirst() {
        let held = (0..<6).map { ExpertID(layer: 0, expert: $0) }
        var popularity = Self.shape.expertBytes.map {
            [Double](repeating: 1, count: $0 > 0 ? 6 : 0)
        }
        popularity[0] = [1, 8, 2, 0, 64, 3]
        popularity[2][0] = 1_000
        let kept = DiskAhead.plan(
            Self.shape,
            [
                DiskAhead.Device(held: Set(held), roomBytes: 0),
                DiskAhead.Device(held: [], roomBytes: 30),
            ], popularity: popularity)
        #expect(kept == [[], [held[4], held[1], held[2]]], "2 and 3 are about equal")
    }

    /// A lost device's work is spread over the others.
    @Test func theOthersShareWhatIsTakenOver() {
        let held = Set((0..<6).map { ExpertID(layer: 0, expert: $0) })
        let kept = DiskAhead.plan(
            ModelShape(
                layers: 1, experts: 6, expertsPerToken: 2, hidden: 8, expertBytes: [10]),
            [DiskAhead.Device(held: held, roomBytes: 0)]
                + (0..<3).map { _ in DiskAhead.Device(held: [], roomBytes: 20) }, popularity: nil)
        #expect(kept.map(\.count) == [0, 2, 2, 2])
        #expect(Set(kept.joined()) == held)
    }

    /// What was decided once is decided again, whatever noise popularity has within a power of two.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func noiseMovesNothing(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let devices = (0..<3).map { number in
            DiskAhead.Device(
                held: Set(Self.all.filter { ($0.expert + $0.layer) % 3 == number }), roomBytes: 70)
        }
        func popularity() -> [[Double]] {
            Self.shape.expertBytes.map { bytes in
                bytes == 0
                    ? [] : (0..<6).map { [1.0, 4, 16][$0 % 3] * (1 + 0.9 * generator.uniform()) }
            }
        }
        let first = DiskAhead.plan(Self.shape, devices, popularity: popularity())
        let after = zip(devices, first).map { device, kept in
            DiskAhead.Device(held: device.held, stored: Set(kept), roomBytes: device.roomBytes)
        }
        let second = DiskAhead.plan(Self.shape, after, popularity: popularity())
        #expect(first.map { Set($0) } == second.map { Set($0) }, "seed \(seed)")
    }
}
