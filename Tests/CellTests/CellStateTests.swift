import Foundation
import SystemModel
import TestSupport
import Testing

@testable import Cell
@testable import Scenarios

struct CellStateTests {
    static func scenario(_ change: (inout Scenario) -> Void = { _ in }) throws -> Scenario {
        let path = Fixtures.root.appending(path: "Scenarios/reference.yaml")
        var scenario = try Scenario(
            yaml: [UInt8](Data(contentsOf: path)), file: "reference.yaml")
        scenario.radio.fading = .none
        change(&scenario)
        return scenario
    }

    /// A row there and back takes what the latency model says, in the emulated shape's time.
    @Test(arguments: [1.0, 16.0])
    func aRowTakesTheModelsAirtime(_ slowdown: Double) throws {
        let scenario = try Self.scenario()
        var state = CellState(scenario, slowdown: slowdown)
        let bytes = Int(4_096 * 2 / slowdown)
        for (device, channel) in scenario.channels(window: 0).enumerated() {
            let air = channel.link.airtime(
                down: Bits(65_536), up: Bits(65_536), bandwidth: Hertz(12.5e6),
                rate: ShannonRate(noise: NoiseDensity(scenario.radio.noise)))
            let start = Duration.seconds(device)
            _ = state.enqueue(device: device, flow: 0, direction: .down, bytes: bytes, now: start)
            let down = state.advance(to: start + .seconds(0.4)).last?.time ?? .zero
            _ = state.enqueue(
                device: device, flow: 1, direction: .up, bytes: bytes, now: start + .seconds(0.5))
            let up = state.advance(to: start + .seconds(0.9)).last?.time ?? .zero
            #expect(abs((down - start).seconds / air.down.value - 1) < 1e-9)
            #expect(abs((up - start).seconds - 0.5 - air.up.value) < 1e-9 * air.up.value + 1e-12)
        }
    }

    @Test func sharesHoldForAWhile() throws {
        var state = CellState(try Self.scenario(), slowdown: 1)
        _ = try state.setShares(["d0": 2e7, "d3": 0], seconds: 2, now: .seconds(1))
        #expect(state.devices[0].hertz.value == 2e7 && state.devices[3].air == nil)
        #expect(state.devices[1].hertz.value == 12.5e6)
        _ = state.enqueue(device: 3, flow: 0, direction: .up, bytes: 100, now: .seconds(1.5))
        #expect(state.nextEvent == .seconds(3), "it waits for its share")
        #expect(state.advance(to: .seconds(2.9)) == [])
        #expect(state.advance(to: .seconds(4)).map(\.bytes) == [100])
        #expect(state.sharesEnd == nil)
        #expect(state.devices.allSatisfy { $0.hertz.value == 12.5e6 })
    }

    @Test func wrongSharesAreRefusedAndChangeNothing() throws {
        var state = CellState(try Self.scenario(), slowdown: 1)
        for hertz in [["d9": 1], ["d0": -1], ["d0": .nan], ["d0": 2e7, "d1": 2e7]] {
            #expect(throws: CellError.self) {
                try state.setShares(hertz, seconds: 1, now: .zero)
            }
        }
        #expect(throws: CellError.self) {
            try state.setShares(["d0": 1], seconds: 0, now: .zero)
        }
        #expect(state.devices.allSatisfy { $0.hertz.value == 12.5e6 })
        // Taking from one what another is given in the same request fits.
        _ = try state.setShares(["d0": 2e7, "d1": 5e6], seconds: 1, now: .zero)
        #expect(state.devices[1].hertz.value == 5e6)
    }

    /// Scheduled outages hold what is sent, to the millisecond; other devices go on.
    @Test func anOutageHoldsBytes() throws {
        var state = CellState(
            try Self.scenario {
                $0.link.outages = [
                    Scenario.Outage(device: "d1", start: Seconds(1), length: Seconds(0.5))
                ]
            }, slowdown: 1)
        for device in 0..<2 {
            _ = state.enqueue(
                device: device, flow: device, direction: .down, bytes: 1_000, now: .seconds(1.2))
        }
        let first = state.advance(to: .seconds(1.3))
        #expect(first.map(\.flow) == [0])
        #expect(state.devices[1].conditions.isOut)
        let second = state.advance(to: .seconds(2))
        #expect(second.map(\.flow) == [1])
        let time = second.first?.time ?? .zero
        #expect(time > .seconds(1.5) && time < .seconds(1.503))
    }

    @Test func deepFadesAreOutages() throws {
        var state = CellState(
            try Self.scenario {
                $0.radio.fading = .rayleigh
                $0.link.outageFade = 0.5
                for device in $0.devices.indices {
                    $0.devices[device].motion = MetresPerSecond(20)
                }
            }, slowdown: 1)
        var out = 0
        for tick in 1...2_000 {
            _ = state.advance(to: .milliseconds(10 * tick))
            out += state.devices.count { $0.conditions.isOut }
        }
        // P(|h|² < 0.5) of Rayleigh fading is 1 - exp(-0.5).
        #expect(abs(Double(out) / 16_000 - 0.393) < 0.04, "seed 2026")
    }

    /// A channel that changes: asked seldom or often while bytes wait, the moments are the same.
    @Test func movingDevicesAreExactToo() throws {
        let scenario = try Self.scenario {
            $0.radio.fading = .rayleigh
            for device in $0.devices.indices { $0.devices[device].motion = MetresPerSecond(10) }
        }
        var lazy = CellState(scenario, slowdown: 1)
        var eager = lazy
        for device in scenario.devices.indices {
            for flow in 0..<2 {
                let direction: AirQueue.Direction = flow == 0 ? .down : .up
                _ = lazy.enqueue(
                    device: device, flow: 2 * device + flow, direction: direction,
                    bytes: 500_000, now: .zero)
                _ = eager.enqueue(
                    device: device, flow: 2 * device + flow, direction: direction,
                    bytes: 500_000, now: .zero)
            }
        }
        var soon: [Int: [AirQueue.Departure]] = [:]
        for tick in 1...20_000 {
            for departure in eager.advance(to: .microseconds(137 * tick)) {
                soon[departure.flow / 2, default: []].append(departure)
            }
        }
        var late: [Int: [AirQueue.Departure]] = [:]
        for departure in lazy.advance(to: .microseconds(137 * 20_000)) {
            late[departure.flow / 2, default: []].append(departure)
        }
        #expect(soon == late, "seed 2026")
        #expect(late.values.reduce(0) { $0 + $1.count } > 1_000)
    }
}
