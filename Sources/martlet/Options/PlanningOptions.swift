import ArgumentParser
import Calibration
import Planning
import SystemModel

/// How experts are chosen and the spectrum is shared.
struct PlanningOptions: ParsableArguments {
    @Option(help: "How experts are selected.")
    var policy = SelectionPolicy.topk

    @Option(help: "How the spectrum is shared; minmax for priced.")
    var bandwidth = BandwidthMethod.minmax

    @Flag(help: "Alternate selection and spectrum until the time no longer falls.")
    var alternate = false

    @Option(help: "wdmoe: the first threshold of the cosine, -1 to 1.")
    var alpha: Double?

    @Option(help: "wdmoe: the gain in weight-to-latency ratio that is enough.")
    var gamma: Double?

    @Option(help: "deadline, priced: the share of weight that may be dropped.")
    var epsilon: Double?

    @Option(help: "testbed: visits of at least this weight stay.")
    var maxWeight: Double?

    @Option(
        help: """
            low-share: the multiple of the best weight under which experts are dropped; random: \
            the probability of a drop.
            """)
    var threshold: Double?

    @Option(help: "priced: seconds of layer time that a unit of loss is worth; replaces --epsilon.")
    var secondsPerLoss: Double?

    @Flag(inversion: .prefixedNo, help: "priced: turn to experts outside the model's choice.")
    var substitution = true

    @Flag(inversion: .prefixedNo, help: "priced: weigh kept experts by least squares.")
    var compensation = true

    @Option(help: "priced: a profile from martlet calibrate; makes a loss nats per token.")
    var profile: String?

    func validate() throws {
        let wrong = [alpha, gamma, epsilon, maxWeight, threshold, secondsPerLoss]
            .contains { $0.map { !$0.isFinite } ?? false }
        guard !wrong, alpha.map({ -1...1 ~= $0 }) ?? true,
            [gamma, epsilon, maxWeight, threshold, secondsPerLoss].allSatisfy({ $0 ?? 0 >= 0 })
        else {
            throw ValidationError("--alpha takes -1 to 1, the other numbers 0 or more")
        }
    }

    func planner(layers: Int, experts: Int, seed: UInt64) throws -> LayerPlanner {
        var parameters = SelectionParameters()
        parameters.alpha = alpha ?? parameters.alpha
        parameters.gamma = gamma ?? parameters.gamma
        parameters.epsilon = epsilon ?? parameters.epsilon
        parameters.maxWeight = maxWeight ?? parameters.maxWeight
        parameters.threshold = threshold ?? parameters.threshold
        parameters.seed = seed
        var planner = LayerPlanner(
            policy: policy, parameters: parameters, method: bandwidth,
            quality: try quality(layers: layers, experts: experts))
        planner.alternates = alternate
        planner.secondsPerLoss = secondsPerLoss
        planner.options.substitutes = substitution
        planner.options.compensates = compensation
        return planner
    }

    private func quality(layers: Int, experts: Int) throws -> QualityModel {
        guard let path = profile else {
            return QualityModel(uncalibratedLayers: layers, experts: experts)
        }
        let profile = try ProfileDatabase(path: path).profile()
        guard profile.layers.count == layers,
            profile.layers.allSatisfy({ $0.experts.isEmpty || $0.experts.count == experts })
        else {
            throw CommandError(
                "\(path): has \(profile.layers.count) layers, the model has \(layers) with "
                    + "\(experts) experts; it is of another model")
        }
        return QualityModel(profile, experts: experts)
    }
}
