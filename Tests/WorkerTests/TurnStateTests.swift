import SystemModel
import Testing

@testable import Worker

/// Stations that share a device's processors, on a clock of the test's own.
struct TurnStateTests {
    @Test func oneStationNeverWaits() {
        var turns = TurnState()
        for _ in 0..<5 {
            #expect(turns.arrived(0) == nil)
            #expect(turns.finished(seconds: 1) == nil)
        }
        #expect(turns.current == nil)
    }

    /// Station 0 always has a long batch ready, station 1 now and then a short one: it waits for at
    /// most the one long batch that is being computed.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func aPromptDelaysOthersByAtMostOneBatch(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var turns = TurnState()
        var now = 0.0
        #expect(turns.arrived(0) == nil)
        var shortBatches = 0
        for _ in 0..<500 {
            // While station 0 computes, its next batch is on the way; perhaps station 1 asks.
            let asks = generator.uniform() < 0.5
            let arrival = now + generator.uniform()
            let ticket = asks ? turns.arrived(1) : nil
            #expect((ticket != nil) == asks, "the long batch is being computed")
            now += 1
            let next = turns.finished(seconds: 1)
            if let ticket {
                #expect(next == ticket && turns.current == 1, "seed \(seed)")
                #expect(now - arrival <= 1, "seed \(seed)")
                shortBatches += 1
                let long = turns.arrived(0)
                #expect(long != nil)
                now += 0.01
                #expect(turns.finished(seconds: 0.01) == long, "seed \(seed)")
            } else {
                #expect(next == nil, "seed \(seed)")
                #expect(turns.arrived(0) == nil, "seed \(seed)")
            }
        }
        #expect(shortBatches > 100)
    }

    /// Two stations that always ask get the same time, however long their batches are.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func timeIsSharedEqually(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var turns = TurnState()
        var served = [0.0, 0.0, 0.0]
        for station in 0..<3 { _ = turns.arrived(station) }
        for _ in 0..<3000 {
            let station = try #require(turns.current)
            let seconds = generator.uniform() * [1.0, 0.2, 0.05][station]
            served[station] += seconds
            // Its next batch comes before this one's answer is out.
            _ = turns.arrived(station)
            #expect(turns.finished(seconds: seconds) != nil)
        }
        let (least, most) = (served.min() ?? 0, served.max() ?? 0)
        #expect(most - least <= 2, "seed \(seed): \(served)")
        #expect(least > 20, "seed \(seed)")
    }

    /// Who was away for long does not shut others out when it is back.
    @Test func idlenessIsNoCredit() {
        var turns = TurnState()
        for _ in 0..<100 {
            #expect(turns.arrived(0) == nil)
            #expect(turns.finished(seconds: 1) == nil)
        }
        #expect(turns.arrived(0) == nil)
        let first = turns.arrived(1)
        #expect(turns.finished(seconds: 1) == first)
        let other = turns.arrived(0)
        _ = turns.arrived(1)
        #expect(turns.finished(seconds: 1) == other, "each has had one since station 1 is back")
    }

    @Test func aLostStationIsNotWaitedFor() {
        // A station's thread ends its batch whether or not anybody wants the answer.
        var turns = TurnState()
        #expect(turns.arrived(0) == nil)
        let second = turns.arrived(0)
        let other = turns.arrived(1)
        #expect(turns.finished(seconds: 1) == other)
        #expect(turns.finished(seconds: 1) == second)
        #expect(turns.finished(seconds: 1) == nil)
    }
}

struct MemoryQuotaTests {
    @Test func equalPartsOfWhatIsLeft() throws {
        #expect(try MemoryQuotas.shares(offered: 100, quotas: [nil]) == [100])
        #expect(try MemoryQuotas.shares(offered: 101, quotas: [nil, nil]) == [50, 50])
        #expect(try MemoryQuotas.shares(offered: 100, quotas: [nil, 40, nil]) == [30, 40, 30])
        #expect(try MemoryQuotas.shares(offered: 100, quotas: [60, 40]) == [60, 40])
    }

    @Test(arguments: [[60, 50], [100, nil], [60, 50, nil]] as [[Int?]])
    func moreThanIsOfferedIsRefused(_ quotas: [Int?]) {
        let error = #expect(throws: WorkerError.self) {
            try MemoryQuotas.shares(offered: 100, quotas: quotas)
        }
        #expect(error?.code == .memory)
    }
}
