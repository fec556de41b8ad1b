import SystemModel
import Testing
import Wire

@testable import Worker

struct CacheEvictionTests {
    private func digest(_ number: Int) -> BlobDigest {
        BlobDigest(bytes: Array(repeating: UInt8(number), count: BlobDigest.byteCount))
    }

    /// What is kept ahead of need goes when nothing else is left, and before what is assigned.
    @Test func whatIsKeptAheadGoesLast() {
        let entries = (0..<4).map { number in
            CacheEviction.Entry(
                digest: digest(number), byteCount: 10, lastAssigned: Double(number),
                isPartial: number == 1)
        }
        func evicted(_ limit: Int) -> [BlobDigest] {
            CacheEviction.evicted(
                entries, keeping: [digest(3)], sparing: [digest(0), digest(1)], arriving: 0,
                limit: limit
            ).map(\.digest)
        }
        #expect(evicted(40).isEmpty)
        #expect(evicted(30) == [digest(2)])
        #expect(evicted(20) == [digest(2), digest(1)])
        #expect(evicted(0) == [digest(2), digest(1), digest(0)])
    }

    /// Against what any order of deletion could do: enough goes, nothing that is assigned, nobody
    /// before one that was assigned longer ago, and not one blob more than needed.
    @Test(arguments: [1, 2, 3])
    func asFewAsNeededAndTheOldestFirst(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let entries = (0..<12).map { number in
                CacheEviction.Entry(
                    digest: digest(number), byteCount: 1 + Int(9 * generator.uniform()),
                    lastAssigned: (10 * generator.uniform()).rounded(),
                    isPartial: generator.uniform() < 0.2)
            }
            let kept = Set(entries.map(\.digest).filter { _ in generator.uniform() < 0.4 })
            let arriving = Int(20 * generator.uniform())
            let limit = Int(80 * generator.uniform())
            let evicted = CacheEviction.evicted(
                entries, keeping: kept, arriving: arriving, limit: limit)
            let total = entries.reduce(arriving) { $0 + $1.byteCount }
            let gone = evicted.reduce(0) { $0 + $1.byteCount }
            let stays = entries.filter { !evicted.contains($0) && !kept.contains($0.digest) }
            #expect(evicted.allSatisfy { !kept.contains($0.digest) }, "seed \(seed)")
            #expect(total - gone <= limit || stays.isEmpty, "seed \(seed)")
            if let last = evicted.last {
                #expect(total - gone + last.byteCount > limit, "seed \(seed)")
            }
            for left in stays {
                for entry in evicted where left.isPartial == entry.isPartial {
                    #expect(entry.lastAssigned <= left.lastAssigned, "seed \(seed)")
                }
                #expect(!left.isPartial || evicted.allSatisfy(\.isPartial), "seed \(seed)")
            }
        }
    }
}
