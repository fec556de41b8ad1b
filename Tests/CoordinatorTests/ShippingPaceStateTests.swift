import SystemModel
import Testing

@testable import Coordinator

struct ShippingPaceStateTests {
    private let a = DeviceID(1)
    private let b = DeviceID(2)

    @Test func withoutTokensEverythingGoesAtOnce() {
        var state = ShippingPaceState()
        for step in 0..<40 {
            let now = Duration.milliseconds(step)
            #expect(
                state.earliest(a, sends: true, now: now, tokens: .ended(.seconds(-9))) <= now)
            state.sent(a, at: now)
            state.worked(from: now, to: now + .milliseconds(1))
        }
    }

    /// A chunk's rest is counted from the moment at which the device has it, for that device alone;
    /// the base station's rest is everybody's.
    @Test func restsAreAsManyTimesAsLong() {
        var state = ShippingPaceState()
        state.worked(from: .zero, to: .milliseconds(1))
        state.sent(a, at: .milliseconds(1))
        let now = Duration.milliseconds(3)
        func earliest(_ device: DeviceID, sends: Bool = true) -> Duration {
            state.earliest(device, sends: sends, now: now, tokens: .underWay)
        }
        let rested = Duration.milliseconds(1 + ShippingPaceState.restFactor)
        #expect(earliest(b) == rested)
        #expect(earliest(a, sends: false) == rested, "hashing does not use the air")
        #expect(earliest(a) > rested, "its chunk is still on its way")
        state.asked(a, at: now)
        #expect(earliest(a) == .milliseconds(3 + 2 * ShippingPaceState.restFactor))
        #expect(earliest(b) == rested)
    }

    @Test func waitsEndWhenTokensDo() {
        var state = ShippingPaceState()
        state.worked(from: .zero, to: .seconds(10))
        let end = Duration.seconds(10) + .milliseconds(1)
        let silence = end + ShippingPaceState.quiet
        let waiting = state.earliest(a, sends: true, now: end, tokens: .ended(end))
        #expect(waiting == silence)
        #expect(state.earliest(a, sends: true, now: silence, tokens: .ended(end)) <= silence)
        let late = Duration.seconds(10) + ShippingPaceState.longestRest
        #expect(
            state.earliest(a, sends: true, now: late, tokens: .underWay) == late,
            "no rest is longer")
    }

    /// Devices ask for no more at the end; their last chunks are not waited for long.
    @Test func aChunkOfWhichNothingIsHeardHoldsNobodyUp() {
        var state = ShippingPaceState()
        var now = Duration.zero
        for _ in 0..<100 {
            state.sent(a, at: now)
            now += .milliseconds(2)
            state.asked(a, at: now)
        }
        state.sent(a, at: now)
        let next = state.earliest(a, sends: true, now: now, tokens: .underWay)
        #expect(next > now + .milliseconds(10) && next < now + .milliseconds(25))
    }

    @Test func aDeviceThatComesBackStartsAnew() {
        var state = ShippingPaceState()
        state.sent(a, at: .zero)
        state.left(a)
        #expect(state.earliest(a, sends: true, now: .zero, tokens: .underWay) <= .zero)
    }

    /// Random times at the base station and on the way: shipping has its share of neither exceeded,
    /// uses nearly all of the scarcer one, and no second chunk leaves before the first is there.
    @Test(arguments: [3, 4, 5])
    func sharesHold(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var state = ShippingPaceState()
        var (now, atStation, onWay) = (Duration.zero, Duration.zero, Duration.zero)
        for _ in 0..<2_000 {
            while true {
                let next = state.earliest(a, sends: true, now: now, tokens: .underWay)
                guard next > now else { break }
                now = next
            }
            let work = Duration.microseconds(Int(50 + 450 * generator.uniform()))
            let way = Duration.microseconds(Int(3_000 + 7_000 * generator.uniform()))
            state.worked(from: now, to: now + work)
            now += work
            state.sent(a, at: now)
            let next = state.earliest(a, sends: true, now: now, tokens: .underWay)
            #expect(next > now + way, "seed \(seed)")
            now += way
            state.asked(a, at: now)
            (atStation, onWay) = (atStation + work, onWay + way)
        }
        let share = 1 / Double(1 + ShippingPaceState.restFactor)
        #expect(atStation / now < share && onWay / now < share, "seed \(seed)")
        #expect(onWay / now > 0.9 * share, "seed \(seed)")
    }
}
