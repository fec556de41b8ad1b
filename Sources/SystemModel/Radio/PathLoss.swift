import Foundation

/// How much of a signal's power is lost between base station and device, on average.
///
/// Sources: free space by Friis; the others by 3GPP TR 38.901 V17, tables 7.4.1-1 (loss and shadow
/// fading), 7.4.2-1 (probability of line of sight) and 7.5-6 (correlation distance). Below a
/// model's shortest distance the loss at that distance applies.
package enum PathLoss: Sendable, Equatable {
    /// `20 log10(4π d f / c)`
    case freeSpace
    /// `constant + frequencySlope · log10(f in GHz) + distanceSlope · log10(d in m)`; the reference
    /// cell has 32.4, 20 and 20.
    case logarithmic(constant: Double, frequencySlope: Double, distanceSlope: Double)
    /// TR 38.901 UMi-Street-Canyon; base station at 10 m.
    case streetCanyon(lineOfSight: Bool)
    /// TR 38.901 InH-Office; base station at 3 m.
    case indoorOffice(lineOfSight: Bool)

    /// The reference cell's formula, `32.4 + 20 log10(f GHz) + 20 log10(d m)`.
    package static let reference = PathLoss.logarithmic(
        constant: 32.4, frequencySlope: 20, distanceSlope: 20)

    /// TR 38.901 calculates with this speed of light, m/s.
    static let lightSpeed = 3.0e8

    /// The mean loss at a horizontal distance.
    ///
    /// - Parameters:
    ///   - distance: between base station and device on the ground, d_2D; free space and the
    ///     logarithmic formula take it as the whole distance.
    ///   - carrier: the carrier's frequency.
    ///   - deviceHeight: of the device's antenna; nil for the model's usual one (1.5 m in the
    ///     street, 1 m in the office).
    package func loss(
        distance: Metres, carrier: Hertz, deviceHeight: Metres? = nil
    ) -> Decibels {
        precondition(distance.value > 0 && carrier.value > 0, "distance and carrier are positive")
        let gigahertz = carrier.value * 1e-9
        switch self {
        case .freeSpace:
            let wavelengths = distance.value * carrier.value / 299_792_458
            return Decibels(20 * log10(4 * Double.pi * wavelengths))
        case .logarithmic(let constant, let frequencySlope, let distanceSlope):
            return Decibels(
                constant + frequencySlope * log10(gigahertz)
                    + distanceSlope * log10(distance.value))
        case .streetCanyon(let lineOfSight):
            return Decibels(
                StreetCanyon(
                    distance: max(10, distance.value), gigahertz: gigahertz,
                    deviceHeight: deviceHeight?.value ?? 1.5
                ).loss(lineOfSight: lineOfSight))
        case .indoorOffice(let lineOfSight):
            let height = 3 - (deviceHeight?.value ?? 1)
            let slant = max(1, hypot(distance.value, height))
            let clear = 32.4 + 17.3 * log10(slant) + 20 * log10(gigahertz)
            let hidden = 38.3 * log10(slant) + 17.3 + 24.9 * log10(gigahertz)
            return Decibels(lineOfSight ? clear : max(clear, hidden))
        }
    }

    /// Standard deviation of shadow fading, normal in decibels.
    package var shadowDeviation: Decibels {
        switch self {
        case .freeSpace, .logarithmic: .zero
        case .streetCanyon(let lineOfSight): Decibels(lineOfSight ? 4 : 7.82)
        case .indoorOffice(let lineOfSight): Decibels(lineOfSight ? 3 : 8.03)
        }
    }

    /// Distance over which shadow fading forgets all but 1/e.
    package var shadowDistance: Metres {
        switch self {
        case .freeSpace, .logarithmic: Metres(.infinity)
        case .streetCanyon(let lineOfSight): Metres(lineOfSight ? 10 : 13)
        case .indoorOffice(let lineOfSight): Metres(lineOfSight ? 10 : 6)
        }
    }
}

/// TR 38.901 UMi-Street-Canyon at one distance. Heights and distances in metres.
private struct StreetCanyon {
    let distance: Double
    let gigahertz: Double
    let deviceHeight: Double
    let stationHeight = 10.0

    /// d'_BP = 4 h'_BS h'_UT f / c, with both heights less the effective environment's 1 m.
    var breakpoint: Double {
        4 * (stationHeight - 1) * (deviceHeight - 1) * gigahertz * 1e9 / PathLoss.lightSpeed
    }

    func loss(lineOfSight: Bool) -> Double {
        lineOfSight ? clear : max(clear, hidden)
    }

    private var rise: Double { stationHeight - deviceHeight }
    private var slant: Double { hypot(distance, rise) }

    /// PL1 up to the breakpoint, PL2 behind it.
    private var clear: Double {
        guard distance > breakpoint else {
            return 32.4 + 21 * log10(slant) + 20 * log10(gigahertz)
        }
        return 32.4 + 40 * log10(slant) + 20 * log10(gigahertz)
            - 9.5 * log10(breakpoint * breakpoint + rise * rise)
    }

    private var hidden: Double {
        35.3 * log10(slant) + 22.4 + 21.3 * log10(gigahertz) - 0.3 * (deviceHeight - 1.5)
    }
}

/// Whether a device sees the base station, by distance (TR 38.901 table 7.4.2-1).
package enum LineOfSight: Sendable, Equatable {
    case streetCanyon
    case indoorMixedOffice
    case indoorOpenOffice

    /// Probability of line of sight at a horizontal distance, in 0...1.
    package func probability(distance: Metres) -> Double {
        let metres = distance.value
        switch self {
        case .streetCanyon:
            guard metres > 18 else { return 1 }
            return 18 / metres + exp(-metres / 36) * (1 - 18 / metres)
        case .indoorMixedOffice:
            if metres <= 1.2 { return 1 }
            return metres < 6.5
                ? exp(-(metres - 1.2) / 4.7) : exp(-(metres - 6.5) / 32.6) * 0.32
        case .indoorOpenOffice:
            if metres <= 5 { return 1 }
            return metres <= 49
                ? exp(-(metres - 5) / 70.8) : exp(-(metres - 49) / 211.7) * 0.54
        }
    }
}
