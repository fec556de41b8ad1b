import Foundation
import SystemModel

/// The time of one token at one device as a function of its bandwidth:
/// `t(b) = compute + bitsDown / R_down(b) + bitsUp / R_up(b)`, convex and decreasing.
///
/// `R(b) = b log2(1 + s/b)` with `s = P g / N0` in Hz, the bandwidth at which the SNR is 1.
struct AirtimeCurve {
    /// Nats each way; a rate in nats per second needs no factor of ln 2.
    private let down: Double
    private let up: Double
    private let strengthDown: Double
    private let strengthUp: Double
    let compute: Double

    init(_ device: BandwidthDevice, noise: WattsPerHertz) {
        down = device.bitsDown.value * log(2)
        up = device.bitsUp.value * log(2)
        strengthDown = device.link.powerDown.value * device.link.gain / noise.value
        strengthUp = device.link.powerUp.value * device.link.gain / noise.value
        compute = device.compute.value
    }

    /// `t(b)` in s; infinite without bandwidth, unless there is nothing to send.
    func tokenSeconds(_ hertz: Double) -> Double {
        compute + airSeconds(hertz)
    }

    /// The part of `t(b)` in the air, s.
    func airSeconds(_ hertz: Double) -> Double {
        guard down + up > 0 else { return 0 }
        guard hertz > 0 else { return .infinity }
        return down / Self.rate(hertz, strengthDown) + up / Self.rate(hertz, strengthUp)
    }

    /// The air's part with unlimited bandwidth, s: the rate is then bounded by power.
    var leastAirSeconds: Double { down / strengthDown + up / strengthUp }

    /// The air's part with its first and second derivative by bandwidth.
    func airDerivatives(_ hertz: Double) -> (value: Double, first: Double, second: Double) {
        let (valueDown, firstDown, secondDown) = Self.inverse(hertz, strengthDown)
        let (valueUp, firstUp, secondUp) = Self.inverse(hertz, strengthUp)
        return (
            down * valueDown + up * valueUp, down * firstDown + up * firstUp,
            down * secondDown + up * secondUp
        )
    }

    /// The bandwidth at which the air's part is `target` s, in `0...limit`.
    ///
    /// Newton on `1 / airSeconds`, which is concave and increasing: every step lands at or left of
    /// the root, and from there steps only grow. Bisection guards what rounding spoils.
    ///
    /// - Parameter start: a guess, such as the answer to a nearby question.
    func hertz(airSeconds target: Double, start: Double, limit: Double) -> Double {
        guard down + up > 0 else { return 0 }
        var (low, high) = (0.0, limit)
        var guess = min(max(start, limit * 1e-12), limit)
        for _ in 0..<60 {
            let (value, first, _) = airDerivatives(guess)
            if value > target { low = guess } else { high = guess }
            // (1/v - 1/target) / (1/v)' with (1/v)' = -v'/v²
            let step = (value / target - 1) * value / -first
            var next = guess + step
            if !(next > low && next < high) { next = 0.5 * (low + high) }
            if abs(next - guess) <= 1e-15 * guess { return next }
            guess = next
        }
        return guess
    }

    /// Nats per second.
    private static func rate(_ hertz: Double, _ strength: Double) -> Double {
        hertz * log1p(strength / hertz)
    }

    /// `1 / rate` and its derivatives.
    private static func inverse(_ hertz: Double, _ strength: Double) -> (Double, Double, Double) {
        let logarithm = log1p(strength / hertz)
        let rate = hertz * logarithm
        let slope = logarithm - strength / (hertz + strength)
        let bend = -strength * strength / (hertz * (hertz + strength) * (hertz + strength))
        let inverse = 1 / rate
        let first = -slope * inverse * inverse
        return (
            inverse, first,
            2 * slope * slope * inverse * inverse * inverse
                - bend * inverse * inverse
        )
    }
}
