package import SystemModel

/// What it costs in quality to run other experts, or others' weights, than the model would.
///
/// A layer's output changes by `Σ_e (s_e - s'_e) E_e(x)`, with `s` the model's weights and `s'` the
/// ones used. Its mean square is a quadratic form in the difference, with the Gram matrix of the
/// experts' outputs that calibration measures; a factor per layer says how much the model's loss
/// feels it. Dropping, substituting and compensating are all differences of weights, so one form
/// prices them all (ours).
package struct QualityModel: Sendable, Equatable {
    /// `[layers][experts · experts]`, row-major: the mean product of two experts' outputs over
    /// tokens that could visit both, times the layer's factor.
    private let gram: [[Double]]
    private let experts: Int
    /// Whether it knows which experts are alike.
    package let isCalibrated: Bool

    /// - Precondition: every layer has experts² entries.
    package init(gram: [[Double]], experts: Int, isCalibrated: Bool = true) {
        precondition(
            gram.allSatisfy { $0.count == experts * experts }, "one entry per pair of experts")
        self.gram = gram
        self.experts = experts
        self.isCalibrated = isCalibrated
    }

    /// Experts of equal size without anything in common; for when nothing was calibrated.
    ///
    /// - Parameter unit: what a change of a layer's weights by 1 costs; in nats per token it makes
    ///   losses nats per token.
    package init(uncalibratedLayers layers: Int, experts: Int, unit: Double = 1) {
        let identity = (0..<experts * experts).map { $0 % (experts + 1) == 0 ? unit : 0 }
        self.init(
            gram: Array(repeating: identity, count: layers), experts: experts,
            isCalibrated: false)
    }

    /// The mean product of two experts' outputs.
    func product(_ layer: Int, _ left: Int, _ right: Int) -> Double {
        gram[layer][left * experts + right]
    }

    /// The loss of using `used` in place of the model's own weights.
    ///
    /// - Parameters: expert and weight; the model's own sum to 1.
    package func loss(layer: Int, own: [(Int, Double)], used: [(Int, Double)]) -> Double {
        let difference = own + used.map { ($0.0, -$0.1) }
        var sum = 0.0
        for (left, leftWeight) in difference {
            for (right, rightWeight) in difference {
                sum += leftWeight * rightWeight * product(layer, left, right)
            }
        }
        return max(0, sum)
    }

    /// The weights of `kept` that lose least: the least-squares image of the model's own mixture.
    ///
    /// Not below 0 and, kept experts being similar or not, between the plain weight and the whole.
    func compensated(layer: Int, own: [(Int, Double)], kept: [Int]) -> [Double] {
        let count = kept.count
        let matrix = (0..<count).map { row in
            (0..<count).map { column in
                product(layer, kept[row], kept[column])
                    + (row == column ? 1e-9 * product(layer, kept[row], kept[row]) + 1e-300 : 0)
            }
        }
        let right = kept.map { expert in
            own.reduce(0) { $0 + $1.1 * product(layer, expert, $1.0) }
        }
        return solveSymmetric(matrix, right).map { max(0, $0) }
    }
}

extension QualityModel {
    /// The calibrated form: output products times what the model's loss feels of each layer, so
    /// that a loss is in nats per token.
    ///
    /// A layer's factor is measured with all other layers intact and is noisy: where it reads 0,
    /// everything would be dropped. So each layer's loss is drawn halfway to the mean of all.
    package init(_ profile: CalibrationProfile, experts: Int) {
        let sizes = profile.layers.map { Self.meanSquare($0) }
        let losses = zip(profile.layers, sizes).map { $0.lossPerSquare * $1 }
        let routed = zip(losses, sizes).filter { $0.1 > 0 }.map(\.0)
        let mean = routed.reduce(0, +) / Double(max(1, routed.count))
        self.init(
            gram: profile.layers.indices.map { layer in
                guard sizes[layer] > 0 else {
                    return Array(repeating: 0, count: experts * experts)
                }
                let factor = 0.5 * (losses[layer] + mean) / sizes[layer]
                return profile.layers[layer].products.map { $0 * factor }
            }, experts: experts)
    }

    /// The mean square of a layer's expert outputs.
    private static func meanSquare(_ layer: CalibrationProfile.Layer) -> Double {
        let count = layer.experts.count
        let squares = (0..<count).map { layer.products[$0 * count + $0] }
        return squares.reduce(0, +) / Double(max(1, count))
    }
}
