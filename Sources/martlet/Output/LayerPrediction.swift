import Foundation
import SystemModel

/// How well the time of layers that waited for devices was foreseen from measured speeds.
struct LayerPrediction: Encodable {
    /// Layers that waited, over all steps.
    let layers: Int
    /// Medians over them, in seconds.
    let predictedSeconds: Double
    let measuredSeconds: Double
    /// The median of |predicted / measured - 1|.
    let error: Double

    /// Nil without any.
    init?(_ times: [CostRecord.LayerTime]) {
        guard
            let predicted = Self.median(times.map(\.predictedSeconds)),
            let measured = Self.median(times.map(\.measuredSeconds)),
            let error = Self.median(
                times.filter { $0.measuredSeconds > 0 }.map {
                    abs($0.predictedSeconds / $0.measuredSeconds - 1)
                })
        else { return nil }
        layers = times.count
        predictedSeconds = predicted
        measuredSeconds = measured
        self.error = error
    }

    var line: String {
        "a layer with devices took \(Readable.milliseconds(measuredSeconds)), foreseen were "
            + "\(Readable.milliseconds(predictedSeconds)) (medians of \(layers)); off by "
            + String(format: "%.0f %% (median)", 100 * error)
    }

    /// The middle one, of two the larger.
    private static func median(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
}
