import Foundation

/// Loss by obstacles along a device's way: normal in decibels, correlated over the distance moved
/// as `exp(-Δd / d_corr)` (Gudmundson 1991; TR 38.901 section 7.4.4).
package struct ShadowFading: Sendable {
    private let deviation: Double
    private let correlationMetres: Double
    /// The current loss on top of the mean path loss.
    package private(set) var loss: Decibels

    /// Starts at a place with an independent draw.
    package init(_ pathLoss: PathLoss, using generator: inout SeededGenerator) {
        deviation = pathLoss.shadowDeviation.value
        correlationMetres = pathLoss.shadowDistance.value
        loss = Decibels(deviation * generator.normalPair().0)
    }

    /// Moves on by a distance.
    package mutating func move(_ distance: Metres, using generator: inout SeededGenerator) {
        let kept = exp(-distance.value / correlationMetres)
        let fresh = deviation * (1 - kept * kept).squareRoot() * generator.normalPair().0
        loss = Decibels(kept * loss.value + fresh)
    }
}
