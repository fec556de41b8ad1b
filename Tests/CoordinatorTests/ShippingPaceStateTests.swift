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
        let patience = Duration.milliseconds(2 * 2 * (1 + ShippingPaceState.restFactor))
        #expect(next >= now + patience && next < now + patience + .milliseconds(1))
    }

    /// Those that went at full speed arrive together, and so do requests after a pause: such times
    /// are no reason for short rests.
    @Test func chunksInEachOthersWayAreNotMeasured() {
        var state = ShippingPaceState()
        for _ in 0..<32 { state.sent(a, at: .zero) }
        for step in 0..<32 { state.asked(a, at: .milliseconds(100) + .microseconds(step)) }
        let now = Duration.milliseconds(101)
        let next = state.earliest(a, sends: true, now: now, tokens: .underWay)
        #expect(next > now + ShippingPaceState.unknownSeconds)
        state.sent(a, at: next)
        state.asked(a, at: next + .milliseconds(1))
        #expect(
            state.earliest(a, sends: true, now: next + .milliseconds(1), tokens: .underWay)
                == next + .milliseconds(1 + ShippingPaceState.restFactor))
    }

    /// One request that gets lost in the count delays one chunk and none of those after it.
    @Test func aMissedRequestIsForgotten() {
        var state = ShippingPaceState()
        var now = Duration.zero
        func send(_ count: Int) -> Duration {
            let start = now
            for _ in 0..<count {
                now = max(now, state.earliest(a, sends: true, now: now, tokens: .underWay))
                state.sent(a, at: now)
                now += .milliseconds(1)
                state.asked(a, at: now)
            }
            return now - start
        }
        _ = send(100)
        let usual = send(100)
        state.sent(a, at: now)
        #expect(send(100) < usual + .milliseconds(30))
        #expect(send(100) == usual)
    }

    @Test func aDeviceThatComesBackStartsAnew() {
        var state = ShippingPaceState()
        state.sent(a, at: .zero)
        state.left(a)
        #expect(state.earliest(a, sends: true, now: .zero, tokens: .underWay) <= .zero)
    }

    /// On a busy machine, where a thread waits now and then: shipping has no more than its share of
    /// what things take by themselves, nearly all of it, no rest for having waited, and no second
    /// chunk leaves before the first is there.
    @Test(arguments: [3, 4, 5])
    func sharesHold(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var state = ShippingPaceState()
        let (work, way) = (Duration.microseconds(300), Duration.milliseconds(5))
        var (now, rests, waits) = (Duration.zero, Duration.zero, Duration.zero)
        func wait() -> Duration {
            guard generator.uniform() < 0.3 else { return .zero }
            return .microseconds(Int(15_000 * generator.uniform()))
        }
        let chunks = 2_000
        for _ in 0..<chunks {
            while true {
                let next = state.earliest(a, sends: true, now: now, tokens: .underWay)
                guard next > now else { break }
                rests += next - now
                now = next
            }
            let (late, later) = (wait(), wait())
            waits += late + later
            state.worked(from: now, to: now + work + late)
            now += work + late
            state.sent(a, at: now)
            let next = state.earliest(a, sends: true, now: now, tokens: .underWay)
            #expect(next > now + way + later, "seed \(seed)")
            now += way + later
            state.asked(a, at: now)
        }
        let wanted = way * (ShippingPaceState.restFactor * chunks)
        #expect(rests / wanted > 0.99 && rests / wanted < 1.05, "seed \(seed)")
        #expect(now == rests + waits + (work + way) * chunks, "seed \(seed)")
    }
}
