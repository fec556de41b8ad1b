import Foundation
package import SystemModel

/// One device's channel over time: where it is, and what its path and the fading leave of a signal.
///
/// A moving device goes straight away from the base station and back, between half and one and a
/// half times its distance; at time 0 it is at its distance and leaves (ours). Fading is correlated
/// by the Doppler shift of that speed. A pure function of time.
package struct Trajectory: Sendable {
    private let start: Metres
    private let speed: MetresPerSecond
    private let carrier: Hertz
    private let pathLoss: PathLoss
    private let fading: FadingSeries

    init(_ scenario: Scenario, device: Int) {
        start = scenario.devices[device].distance
        speed = scenario.devices[device].motion
        carrier = scenario.radio.carrier
        pathLoss = scenario.radio.pathLoss
        fading = scenario.series(device: device)
    }

    /// Whether nothing ever changes.
    package var isStill: Bool { speed.value == 0 }

    /// Where the device is.
    package func distance(at time: Seconds) -> Metres {
        let turns = (speed.value * time.value / start.value).truncatingRemainder(dividingBy: 2)
        let factor = turns < 0.5 ? 1 + turns : turns < 1.5 ? 2 - turns : turns - 1
        return Metres(start.value * factor)
    }

    /// |h|², at least 1e-9.
    package func fade(at time: Seconds) -> Double { max(fading.power(at: time), 1e-9) }

    /// The path's power gain with fading.
    package func gain(at time: Seconds) -> Double {
        let loss = pathLoss.loss(distance: distance(at: time), carrier: carrier)
        return Decibels(-loss.value).factor * fade(at: time)
    }
}

extension Scenario {
    /// One device's channel over time.
    package func trajectory(device: Int) -> Trajectory { Trajectory(self, device: device) }
}
