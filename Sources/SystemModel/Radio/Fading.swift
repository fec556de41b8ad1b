import Foundation

/// How the power gain |h|² of a flat channel varies around its mean of 1.
package enum Fading: Sendable, Equatable {
    /// Always 1.
    case none
    /// Many paths of equal strength: |h|² is exponential.
    case rayleigh
    /// A direct path with `factor` times the power of all others together (K, linear).
    case rician(factor: Double)

    /// Power of the direct path, of a total of 1.
    fileprivate var directPower: Double {
        switch self {
        case .none: 1
        case .rayleigh: 0
        case .rician(let factor): factor / (factor + 1)
        }
    }

    /// One block's |h|², independent of all others.
    package func power(using generator: inout SeededGenerator) -> Double {
        switch self {
        case .none: return 1
        case .rayleigh: return -log(1 - generator.uniform())
        case .rician:
            let scatter = ((1 - directPower) / 2).squareRoot()
            let (real, imaginary) = generator.normalPair()
            let inPhase = directPower.squareRoot() + scatter * real
            let quadrature = scatter * imaginary
            return inPhase * inPhase + quadrature * quadrature
        }
    }
}

/// The channel of a moving device over time: |h(t)|² whose parts are correlated as J₀(2π f_D τ).
///
/// A sum of sinusoids with random arrival angles and phases (Zheng and Xiao, "Improved models for
/// the generation of multiple uncorrelated Rayleigh fading waveforms", IEEE Communications Letters
/// 2002). A pure function of time: any moment can be asked, in any order.
package struct FadingSeries: Sendable {
    /// Angular frequency and phase of one scattered path's two parts.
    private struct Path: Sendable {
        let inPhaseRate: Double
        let quadratureRate: Double
        let inPhase: Double
        let quadrature: Double
    }

    private static let pathCount = 16
    private let directPower: Double
    private let directRate: Double
    private let directPhase: Double
    private let paths: [Path]

    /// - Parameters:
    ///   - fading: distribution of the power at one moment.
    ///   - doppler: largest Doppler shift f_D, `speed · carrier / c`.
    ///   - generator: draws angles and phases; equal seeds give equal series.
    package init(_ fading: Fading, doppler: Hertz, using generator: inout SeededGenerator) {
        let turn = 2 * Double.pi
        let angular = turn * doppler.value
        directPower = fading.directPower
        directRate = angular * cos(turn * generator.uniform())
        directPhase = turn * generator.uniform()
        let offset = turn * generator.uniform() - Double.pi
        paths = (1...Self.pathCount).map { number in
            let angle = (turn * Double(number) - Double.pi + offset) / Double(4 * Self.pathCount)
            return Path(
                inPhaseRate: angular * cos(angle), quadratureRate: angular * sin(angle),
                inPhase: turn * generator.uniform(), quadrature: turn * generator.uniform())
        }
    }

    /// |h|² at a moment.
    package func power(at time: Seconds) -> Double {
        var inPhase = 0.0
        var quadrature = 0.0
        for path in paths {
            inPhase += cos(path.inPhaseRate * time.value + path.inPhase)
            quadrature += cos(path.quadratureRate * time.value + path.quadrature)
        }
        let scatter = ((1 - directPower) / Double(Self.pathCount)).squareRoot()
        let phase = directRate * time.value + directPhase
        inPhase = scatter * inPhase + directPower.squareRoot() * cos(phase)
        quadrature = scatter * quadrature + directPower.squareRoot() * sin(phase)
        return inPhase * inPhase + quadrature * quadrature
    }

    /// The largest Doppler shift at a speed.
    package static func doppler(speed: MetresPerSecond, carrier: Hertz) -> Hertz {
        Hertz(speed.value * carrier.value / 299_792_458)
    }
}

extension SeededGenerator {
    /// Two independent standard normal numbers (Box and Muller, 1958).
    package mutating func normalPair() -> (Double, Double) {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        let angle = 2 * Double.pi * uniform()
        return (radius * cos(angle), radius * sin(angle))
    }
}
