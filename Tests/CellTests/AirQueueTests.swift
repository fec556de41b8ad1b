import SystemModel
import Testing

@testable import Cell

/// Times are whole microseconds here, so every comparison is exact.
struct AirQueueTests {
    static let air = AirQueue.AirPerByte(down: .microseconds(1), up: .microseconds(2))

    func departure(_ flow: Int, _ bytes: Int, _ microseconds: Int) -> AirQueue.Departure {
        AirQueue.Departure(flow: flow, bytes: bytes, time: .microseconds(microseconds))
    }

    @Test func bytesTakeTheirDirectionsTime() {
        var queue = AirQueue(air: Self.air)
        queue.enqueue(flow: 1, direction: .down, bytes: 100, now: .microseconds(50))
        #expect(queue.nextDeparture == .microseconds(150))
        #expect(queue.advance(to: .microseconds(149)) == [])
        #expect(queue.advance(to: .microseconds(150)) == [departure(1, 100, 150)])
        queue.enqueue(flow: 2, direction: .up, bytes: 100, now: .microseconds(150))
        #expect(queue.advance(to: .seconds(1)) == [departure(2, 100, 350)])
        #expect(queue.airtime == .init(down: .microseconds(100), up: .microseconds(200)))
        #expect(queue.isEmpty && queue.nextDeparture == nil)
    }

    /// Half duplex: both directions share the air.
    @Test func flowsTakeTurnsPacketByPacket() {
        var queue = AirQueue(air: Self.air)
        queue.enqueue(flow: 1, direction: .down, bytes: 4_000, now: .zero)
        queue.enqueue(flow: 2, direction: .up, bytes: 1_600, now: .zero)
        let expected = [
            departure(1, 1_500, 1_500), departure(2, 1_500, 4_500), departure(1, 1_500, 6_000),
            departure(2, 100, 6_200), departure(1, 1_000, 7_200),
        ]
        #expect(queue.advance(to: .microseconds(10_000)) == expected)
    }

    @Test func aNewRateAppliesToWhatIsLeft() {
        var queue = AirQueue(air: Self.air)
        queue.enqueue(flow: 1, direction: .down, bytes: 1_000, now: .zero)
        // Half of it has gone; the other half takes four times as long.
        let slow = AirQueue.AirPerByte(down: .microseconds(4), up: .microseconds(8))
        #expect(queue.setAir(slow, now: .microseconds(500)) == [])
        #expect(queue.nextDeparture == .microseconds(2_500))
        #expect(queue.setAir(nil, now: .microseconds(1_500)) == [])
        #expect(queue.nextDeparture == nil)
        #expect(queue.advance(to: .microseconds(9_000)) == [])
        #expect(queue.setAir(Self.air, now: .microseconds(10_000)) == [])
        #expect(queue.advance(to: .microseconds(11_000)) == [departure(1, 1_000, 10_250)])
    }

    @Test func whatComesBeforeAnyRateWaits() {
        var queue = AirQueue(air: nil)
        queue.enqueue(flow: 1, direction: .up, bytes: 10, now: .microseconds(5))
        #expect(queue.advance(to: .microseconds(50)) == [])
        _ = queue.setAir(Self.air, now: .microseconds(60))
        #expect(queue.advance(to: .microseconds(80)) == [departure(1, 10, 80)])
    }

    @Test func aRemovedFlowGivesItsTurnsAway() {
        var queue = AirQueue(air: Self.air)
        queue.enqueue(flow: 1, direction: .down, bytes: 9_000, now: .zero)
        queue.enqueue(flow: 2, direction: .down, bytes: 100, now: .zero)
        queue.remove(flow: 1)
        #expect(
            queue.advance(to: .seconds(1)) == [
                departure(1, 1_500, 1_500), departure(2, 100, 1_600),
            ])
    }

    /// Asking often or seldom gives the same moments, and no byte is lost or made.
    @Test(arguments: 0..<20)
    func momentsDoNotDependOnAsking(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var lazy = AirQueue(air: Self.air)
        var eager = lazy
        var (late, soon): ([AirQueue.Departure], [AirQueue.Departure]) = ([], [])
        var now = Duration.zero
        var sent = 0
        for _ in 0..<200 {
            let until = now + .microseconds(generator.next() % 4_000)
            while now < until {
                now = min(until, now + .microseconds(1 + generator.next() % 700))
                soon += eager.advance(to: now)
            }
            late += lazy.advance(to: now)
            let flow = Int(generator.next() % 4)
            let bytes = Int(generator.next() % 3_000)
            sent += bytes
            let direction: AirQueue.Direction = flow < 2 ? .down : .up
            lazy.enqueue(flow: flow, direction: direction, bytes: bytes, now: now)
            eager.enqueue(flow: flow, direction: direction, bytes: bytes, now: now)
        }
        late += lazy.advance(to: .seconds(1_000))
        soon += eager.advance(to: .seconds(1_000))
        #expect(late == soon, "seed \(seed)")
        #expect(late.reduce(0) { $0 + $1.bytes } == sent, "seed \(seed)")
        #expect(zip(late, late.dropFirst()).allSatisfy { $0.time <= $1.time }, "seed \(seed)")
    }

    @Test func bytesThatArriveSoonAfterOthersAreABurst() {
        var line = DelayLine()
        for time in [30, 90, 130, 131, 500] {
            line.add(bytes: 1, arriving: .microseconds(time))
        }
        #expect(line.burstEnd(within: .microseconds(100)) == .microseconds(130))
        #expect(line.release(until: .microseconds(130)) == 3)
        #expect(line.burstEnd(within: .microseconds(100)) == .microseconds(131))
        #expect(line.release(until: .microseconds(131)) == 1)
        #expect(line.burstEnd(within: .microseconds(100)) == .microseconds(500))
    }

    @Test func lateBytesStayInOrder() {
        var line = DelayLine()
        line.add(bytes: 10, arriving: .microseconds(30))
        line.add(bytes: 5, arriving: .microseconds(20))
        #expect(line.burstEnd(within: .zero) == .microseconds(30))
        #expect(line.release(until: .microseconds(29)) == 0)
        #expect(line.release(until: .microseconds(30)) == 15)
        #expect(line.burstEnd(within: .zero) == nil)
    }
}
