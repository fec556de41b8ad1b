import SystemModel
import Testing

@testable import Worker

/// Who has how much of a device's memory, with a time that the tests make.
struct MemoryShareStateTests {
    typealias Action = MemoryShareState.Action

    /// Two stations with 30 and 10 bytes that are there and use them.
    private func both(lendAfter: Duration? = .seconds(60)) -> MemoryShareState {
        var state = MemoryShareState(quotas: [30, 10], lendAfter: lendAfter, now: .zero)
        for (station, bytes) in [30, 10].enumerated() {
            #expect(state.showed(station, isPresent: true, now: .seconds(1)).isEmpty)
            #expect(state.isServed(station))
            #expect(state.holds(station, bytes: bytes, now: .seconds(1)).isEmpty)
        }
        return state
    }

    @Test func everyStationHasItsQuotaAtFirst() {
        var state = MemoryShareState(quotas: [30, 10], lendAfter: .seconds(60), now: .zero)
        #expect(!state.isServed(0), "it is not there")
        #expect(state.passed(.seconds(59)).isEmpty)
        #expect(state.offered(0) == 30 && state.offered(1) == 10)
    }

    @Test func whoIsAwayForLongLends() {
        var state = both()
        #expect(state.showed(1, isPresent: false, now: .seconds(10)).isEmpty)
        #expect(state.passed(.seconds(69)).isEmpty)
        #expect(
            state.passed(.seconds(70)) == [.offer(1, bytes: 0), .offer(0, bytes: 40)],
            "its experts go before the other may have more")
        #expect(state.passed(.seconds(1000)).isEmpty)
    }

    /// Also a station that was never there.
    @Test func whoNeverComesLends() {
        var state = MemoryShareState(quotas: [30, 10], lendAfter: .seconds(60), now: .zero)
        _ = state.showed(1, isPresent: true, now: .seconds(1))
        #expect(state.passed(.seconds(60)) == [.offer(0, bytes: 0), .offer(1, bytes: 40)])
    }

    @Test func neverIsNever() {
        var state = both(lendAfter: nil)
        #expect(state.showed(1, isPresent: false, now: .seconds(10)).isEmpty)
        #expect(state.passed(.seconds(1_000_000)).isEmpty)
    }

    /// A lost link that is back soon changes nothing, and nobody else's, whoever borrowed.
    @Test func aMomentAwayChangesNothing() {
        var state = both()
        _ = state.showed(1, isPresent: false, now: .seconds(10))
        _ = state.passed(.seconds(70))
        #expect(state.showed(0, isPresent: false, now: .seconds(80)).isEmpty)
        #expect(state.showed(0, isPresent: true, now: .seconds(139)).isEmpty)
        #expect(state.isServed(0) && state.offered(0) == 40)
    }

    @Test func whileAllAreAwayNothingMoves() {
        var state = both()
        for station in 0..<2 { _ = state.showed(station, isPresent: false, now: .seconds(10)) }
        #expect(state.passed(.seconds(1000)).isEmpty)
        #expect(
            state.showed(1, isPresent: true, now: .seconds(1001)) == [
                .offer(0, bytes: 0), .offer(1, bytes: 40),
            ])
    }

    /// Who is back waits until the borrower has let go.
    @Test func shrinkingComesBeforeGrowing() {
        var state = both()
        _ = state.showed(1, isPresent: false, now: .seconds(10))
        _ = state.passed(.seconds(70))
        #expect(state.holds(0, bytes: 40, now: .seconds(75)).isEmpty)
        #expect(
            state.showed(1, isPresent: true, now: .seconds(80)) == [.offer(0, bytes: 30)])
        #expect(!state.isServed(1))
        #expect(state.holds(0, bytes: 31, now: .seconds(81)).isEmpty)
        #expect(state.holds(0, bytes: 29, now: .seconds(81.5)) == [.offer(1, bytes: 10)])
        #expect(state.isServed(1))
    }

    /// A borrower that has not used what it may have has nothing to let go.
    @Test func whatWasNotUsedIsBackAtOnce() {
        var state = both()
        _ = state.showed(1, isPresent: false, now: .seconds(10))
        _ = state.passed(.seconds(70))
        #expect(
            state.showed(1, isPresent: true, now: .seconds(80)) == [
                .offer(0, bytes: 30), .offer(1, bytes: 10),
            ])
    }

    @Test func whoDoesNotLetGoIsMadeTo() {
        var state = both()
        _ = state.showed(1, isPresent: false, now: .seconds(10))
        _ = state.passed(.seconds(70))
        _ = state.holds(0, bytes: 40, now: .seconds(75))
        _ = state.showed(1, isPresent: true, now: .seconds(80))
        #expect(state.passed(.seconds(81.9)).isEmpty)
        #expect(state.passed(.seconds(82)) == [.cut(0), .offer(1, bytes: 10)])
        // What was on its way comes later: again it has its time.
        #expect(state.holds(0, bytes: 40, now: .seconds(83)).isEmpty)
        #expect(state.passed(.seconds(84.9)).isEmpty)
        #expect(state.passed(.seconds(85)) == [.cut(0)])
    }

    /// A borrower that is away itself has nobody who could be told, and lets go at once.
    @Test func aBorrowerThatIsAwayLetsGoAtOnce() {
        var state = both()
        _ = state.showed(1, isPresent: false, now: .seconds(10))
        _ = state.passed(.seconds(70))
        _ = state.holds(0, bytes: 40, now: .seconds(75))
        _ = state.showed(0, isPresent: false, now: .seconds(76))
        #expect(
            state.showed(1, isPresent: true, now: .seconds(80)) == [
                .offer(0, bytes: 30), .offer(1, bytes: 10),
            ])
    }

    @Test func largeMemoriesDoNotOverflow() {
        let large = 64 << 40
        var state = MemoryShareState(
            quotas: [large, large, large], lendAfter: .seconds(60), now: .zero)
        _ = state.showed(0, isPresent: true, now: .seconds(1))
        #expect(state.passed(.seconds(60)).last == .offer(0, bytes: 3 * large))
    }

    /// Stations come and go at random, and each lets go when it likes: never is more promised or
    /// held than there is, nobody who was asked keeps what another waits for, and once all is quiet
    /// everything is given out in proportion.
    @Test(arguments: 0..<30 as Range<UInt64>)
    func whateverHappens(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let quotas = (0..<4).map { _ in Int.random(in: 1...1000, using: &generator) }
        let total = quotas.reduce(0, +)
        var state = MemoryShareState(quotas: quotas, lendAfter: .seconds(20), now: .zero)
        var (present, held, now) = ([false, false, false, false], [0, 0, 0, 0], Duration.zero)
        func perform(_ actions: [Action], _ step: Int) {
            for action in actions {
                switch action {
                case .offer(let station, let bytes):
                    #expect(state.offered(station) == bytes, "seed \(seed), step \(step)")
                    if !present[station] { held[station] = min(held[station], bytes) }
                case .cut(let station):
                    #expect(held[station] > state.offered(station), "seed \(seed), step \(step)")
                    held[station] = min(held[station], state.offered(station))
                }
            }
            let occupied = (0..<4).reduce(0) { $0 + max(held[$1], state.offered($1)) }
            #expect(occupied <= total, "seed \(seed), step \(step)")
        }
        for step in 0..<2000 {
            now += .milliseconds(Int.random(in: 0...1500, using: &generator))
            let station = Int.random(in: 0..<4, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0 where Int.random(in: 0..<6, using: &generator) == 0:
                present[station].toggle()
                let actions = state.showed(station, isPresent: present[station], now: now)
                perform(actions, step)
            case 1 where state.isServed(station):
                held[station] = Int.random(in: 0...state.offered(station), using: &generator)
                perform(state.holds(station, bytes: held[station], now: now), step)
            default: perform(state.passed(now), step)
            }
        }
        for station in 0..<4 {
            present[station] = station == 2 || present[station]
            perform(state.showed(station, isPresent: present[station], now: now), -1)
        }
        for seconds in [20, 2, 0] {
            now += .seconds(seconds)
            perform(state.passed(now), -2)
        }
        let here = (0..<4).filter { present[$0] }.reduce(0) { $0 + quotas[$1] }
        for station in 0..<4 {
            let wanted = present[station] ? quotas[station] * total / here : 0
            #expect(abs(state.offered(station) - wanted) <= 1, "seed \(seed)")
            #expect(state.isServed(station) == present[station], "seed \(seed)")
        }
    }
}
