import SystemModel
import Testing

/// The check figures of methods, section 1, for Mixtral-8x7B.
struct LatencyTests {
    let workload = ExpertWorkload(hidden: 4096, expertInner: 14336, bitsPerElement: 16)

    @Test func mixtralHasTheKnownSizes() {
        #expect(workload.activation.value == 65_536)
        #expect((workload.compute.value / 1e5).rounded() == 3_523)
        #expect((workload.expertBytes(bitsPerWeight: 16) / 1e5).rounded() == 3_523)
        #expect((workload.expertBytes(bitsPerWeight: 16) * 256 / 1e8).rounded() == 902)
    }

    /// A channel whose SNR is 1: R = B, so 1 MHz carries an activation in 65.536 ms.
    @Test func tokenTakesAirBothWaysAndComputing() {
        let noise = NoiseDensity(WattsPerHertz(1e-6))
        let channel = DeviceChannel(
            link: RadioLink(gain: 1, powerDown: Watts(1), powerUp: Watts(3)),
            speed: OperationsPerSecond(352_321_536 * 1e3))
        let seconds = channel.tokenSeconds(
            workload, bandwidth: Hertz(1e6), rate: ShannonRate(noise: noise))
        #expect(abs(seconds.value - (0.065536 + 0.032768 + 0.001)) < 1e-12)
    }

    @Test func layerWaitsForTheLastDevice() {
        let model = LatencyModel(devices: [
            DeviceLatency(message: Seconds(0.003), token: Seconds(0.001)),
            DeviceLatency(message: Seconds(0.5), token: Seconds(0.002)),
        ])
        #expect(abs(model.layerSeconds(tokens: [7, 0]).value - 0.01) < 1e-15)
        #expect(abs(model.layerSeconds(tokens: [7, 1]).value - 0.502) < 1e-15)
        #expect(model.layerSeconds(tokens: [0, 0]) == .zero)
    }

    @Test func energyAddsSendingComputingAndIdling() {
        let link = RadioLink(gain: 1, powerDown: Watts(10), powerUp: Watts(0.2))
        let energy = EnergyModel(compute: Watts(5), idle: Watts(1))
        let joules = energy.joules(
            tokens: 2, link: link, airtime: (down: Seconds(0.1), up: Seconds(0.5)),
            computing: Seconds(0.01), layer: Seconds(3))
        #expect(abs(joules.value - (2 + 0.2 + 0.1 + 3)) < 1e-12)
    }
}
