import Foundation

/// Power spectral density of the noise at a receiver.
package struct NoiseDensity: Sendable, Equatable {
    /// The whole density, the receiver's own part included.
    package let density: WattsPerHertz

    package init(_ density: WattsPerHertz) {
        self.density = density
    }

    /// Thermal noise at 290 K (−174 dBm/Hz), made worse by a receiver's noise figure.
    package init(noiseFigure: Decibels) {
        density = WattsPerHertz(1.380649e-23 * 290 * noiseFigure.factor)
    }
}

extension Decibels {
    /// The ratio of powers: 3 dB is about 2.
    package var factor: Double { pow(10, value / 10) }
}

/// The rate of a link: `R = B log2(1 + P g / (Γ N0 B))`, at most `cap · B`.
///
/// As in the papers there is no gap and no cap unless asked for (methods, section 1).
package struct ShannonRate: Sendable, Equatable {
    package let noise: NoiseDensity
    /// How much more SNR the link's coding needs than Shannon's, Γ.
    package let gap: Decibels
    /// Most bits per second and hertz that the modulation carries; nil: no limit.
    package let cap: Double?

    package init(noise: NoiseDensity, gap: Decibels = .zero, cap: Double? = nil) {
        precondition(cap.map { $0 > 0 } ?? true, "a cap on the rate is positive")
        self.noise = noise
        self.gap = gap
        self.cap = cap
    }

    /// The rate over `bandwidth` with `power` sent and the path's power gain; 0 without bandwidth.
    package func rate(bandwidth: Hertz, power: Watts, gain: Double) -> BitsPerSecond {
        guard bandwidth.value > 0 else { return .zero }
        let ratio =
            power.value * gain / (noise.density.value * bandwidth.value * gap.factor)
        let efficiency = log1p(ratio) / log(2)
        return BitsPerSecond(bandwidth.value * min(efficiency, cap ?? .infinity))
    }
}

/// The two directions between base station and one device at one moment.
package struct RadioLink: Sendable, Equatable {
    /// Power gain of the path, `10^(-PL/10) · |h|²`; the same in both directions.
    package var gain: Double
    /// Power that the base station sends with.
    package var powerDown: Watts
    /// Power that the device sends with.
    package var powerUp: Watts

    package init(gain: Double, powerDown: Watts, powerUp: Watts) {
        self.gain = gain
        self.powerDown = powerDown
        self.powerUp = powerUp
    }

    /// Half-duplex airtime: each direction has the whole share, one after the other.
    package func airtime(
        down: Bits, up: Bits, bandwidth: Hertz, rate: ShannonRate
    ) -> (down: Seconds, up: Seconds) {
        (
            down / rate.rate(bandwidth: bandwidth, power: powerDown, gain: gain),
            up / rate.rate(bandwidth: bandwidth, power: powerUp, gain: gain)
        )
    }
}
