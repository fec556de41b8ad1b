import ArgumentParser
import Calibration
import Planning
import SystemModel

/// How experts are selected, for every command that can.
struct SelectionOptions: ParsableArguments {
    @Option(help: "How experts are selected.")
    var policy = SelectionPolicy.topk

    @Option(help: "wdmoe: the first threshold of the cosine, -1 to 1.")
    var alpha: Double?

    @Option(help: "wdmoe: the gain in weight-to-latency ratio that is enough.")
    var gamma: Double?

    @Option(help: "testbed: visits of at least this weight stay.")
    var maxWeight: Double?

    @Option(
        help: """
            low-share: the multiple of the best weight under which experts are dropped; random: \
            the probability of a drop.
            """)
    var threshold: Double?

    @Flag(inversion: .prefixedNo, help: "Turn to experts outside the model's choice.")
    var substitution = true

    @Flag(inversion: .prefixedNo, help: "Weigh kept experts by least squares.")
    var compensation = true

    @Option(
        help: "What martlet calibrate recorded of the model: losses are then nats per token.")
    var profile: String?

    func validate() throws {
        let wrong = [alpha, gamma, maxWeight, threshold].contains {
            $0.map { !$0.isFinite } ?? false
        }
        guard !wrong, alpha.map({ -1...1 ~= $0 }) ?? true,
            [gamma, maxWeight, threshold].allSatisfy({ $0 ?? 0 >= 0 })
        else {
            throw ValidationError("--alpha takes -1 to 1, the other numbers 0 or more")
        }
    }

    /// - Parameter unit: of the uncalibrated quality model.
    func planner(
        layers: Int, experts: Int, method: BandwidthMethod = .minmax, unit: Double = 1
    ) throws -> LayerPlanner {
        var parameters = SelectionParameters()
        parameters.alpha = alpha ?? parameters.alpha
        parameters.gamma = gamma ?? parameters.gamma
        parameters.maxWeight = maxWeight ?? parameters.maxWeight
        parameters.threshold = threshold ?? parameters.threshold
        let quality =
            try calibration(layers: layers, experts: experts)
            .map { QualityModel($0, experts: experts) }
            ?? QualityModel(uncalibratedLayers: layers, experts: experts, unit: unit)
        var planner = LayerPlanner(
            policy: policy, parameters: parameters, method: method, quality: quality)
        planner.options.substitutes = substitution
        planner.options.compensates = compensation
        return planner
    }

    /// What the profile recorded of the routing; nil without one.
    ///
    /// - Throws: if it cannot be read or is of another model.
    func routing(_ shape: ModelShape) throws -> RecordedRouting? {
        try profile.map { try ProfileDatabase.routing(path: $0, of: shape) }
    }

    /// What the profile holds; nil without one.
    func calibration(layers: Int, experts: Int) throws -> CalibrationProfile? {
        guard let path = profile else { return nil }
        let profile = try ProfileDatabase(path: path).profile()
        guard profile.layers.count == layers,
            profile.layers.allSatisfy({ $0.experts.isEmpty || $0.experts.count == experts })
        else {
            throw CommandError(
                "\(path): has \(profile.layers.count) layers, the model has \(layers) with "
                    + "\(experts) experts; it is of another model")
        }
        return profile
    }
}

extension ProfileDatabase {
    /// What a model's profile recorded of the routing.
    ///
    /// - Throws: if it cannot be read or is of another model.
    static func routing(path: String, of shape: ModelShape) throws -> RecordedRouting {
        let routing = try ProfileDatabase(path: path).routing()
        let experts = shape.expertBytes.map { $0 > 0 ? shape.experts : 0 }
        guard routing.reuse.map(\.count) == experts else {
            throw CommandError("\(path): is of another model; calibrate this one")
        }
        return routing
    }
}

/// How experts are chosen and the spectrum is shared.
struct PlanningOptions: ParsableArguments {
    @OptionGroup var selection: SelectionOptions

    @Option(help: "How the spectrum is shared; minmax for priced.")
    var bandwidth = BandwidthMethod.minmax

    @Flag(help: "Alternate selection and spectrum until the time no longer falls.")
    var alternate = false

    @Option(help: "deadline, priced: the share of weight that may be dropped.")
    var epsilon: Double?

    @Option(help: "priced: seconds of layer time that a unit of loss is worth; replaces --epsilon.")
    var secondsPerLoss: Double?

    func validate() throws {
        guard [epsilon, secondsPerLoss].allSatisfy({ ($0 ?? 0).isFinite && $0 ?? 0 >= 0 }) else {
            throw ValidationError("--epsilon and --seconds-per-loss take 0 or more")
        }
    }

    func planner(layers: Int, experts: Int, seed: UInt64) throws -> LayerPlanner {
        var planner = try selection.planner(layers: layers, experts: experts, method: bandwidth)
        planner.parameters.epsilon = epsilon ?? planner.parameters.epsilon
        planner.parameters.seed = seed
        planner.alternates = alternate
        planner.secondsPerLoss = secondsPerLoss
        return planner
    }
}
