import Planning
import SystemModel
import TestSupport
import Testing

/// Shares that follow what was sent lately, and stay where a change is not worth it.
struct CellSharingTests {
    private func device(gain: Double, hertz: Double = 5e6) -> CellSharing.Device {
        CellSharing.Device(
            link: RadioLink(gain: gain, powerDown: Watts(1), powerUp: Watts(0.2)), hertz: hertz,
            computeSeconds: 1e-4)
    }

    private func shares(
        _ devices: [CellSharing.Device], _ rounds: [[Int]]
    ) -> [Double]? {
        CellSharing().shares(
            devices, total: Hertz(20e6), noise: WattsPerHertz(4e-21), bitsPerRow: Bits(65_536),
            message: Seconds(1e-3), rounds: rounds)
    }

    private static let even = [[1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 0], [1, 0, 0, 1]]

    @Test func aWeakDeviceGetsMore() throws {
        let devices = [1e-12, 1e-9, 1e-9, 1e-9].map { device(gain: $0) }
        let wanted = try #require(shares(devices, Self.even))
        #expect(wanted[0] > wanted[1] && wanted[1] > 0)
        #expect(abs(wanted.reduce(0, +) - 20e6) < 1)
        // Once they are set nothing is to change.
        let settled = zip(devices, wanted).map { device(gain: $0.link.gain, hertz: $1) }
        #expect(shares(settled, Self.even) == nil)
    }

    @Test func equalDevicesKeepEqualShares() {
        #expect(shares((0..<4).map { _ in device(gain: 1e-9) }, Self.even) == nil)
    }

    @Test func anIdleDeviceKeepsALittle() throws {
        let rounds = Array(repeating: [1, 1, 0, 0], count: 8)
        let wanted = try #require(shares((0..<4).map { _ in device(gain: 1e-9) }, rounds))
        #expect(wanted[2] == 0.05 * 5e6 && wanted[3] == wanted[2])
        #expect(wanted[0] > 9e6)
    }

    @Test func nothingSentNothingChanged() {
        #expect(shares([device(gain: 1e-9)], []) == nil)
        #expect(shares([device(gain: 1e-9)], [[0]]) == nil)
    }
}
