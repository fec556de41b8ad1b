import SystemModel

/// What no deployment can be better than (ours): the devices are pooled into one memory in which
/// visits spread as evenly as they like, and a frame costs what the best devices would take.
package struct DeploymentBound: Sendable, Equatable {
    /// Of a decoded token and its share of prompts.
    package let seconds: Double
    /// Round trips of the pooled deployment that takes so long; nil where layers have too many
    /// experts to enumerate.
    package let roundTripsAtBound: Double?
    /// No deployment within `tolerance` of `seconds` has fewer.
    package let leastRoundTrips: Double
    package let leastFrames: Double
    /// By which a deployment may be slower than the bound for the two above.
    package let tolerance: Double

    /// Prices tried of a round trip and of a frame, as parts of the seconds.
    private static let steps = 12

    /// - Complexity: `2 · steps` times O(layers · (3^experts · sets + memories · experts²)); for
    ///   layers of more than about twelve experts a weaker bound in O(layers · experts).
    package init(_ problem: DeploymentProblem, tolerance: Double = 0.1) {
        self.tolerance = tolerance
        let plain = PooledDeployment(problem)
        let seconds =
            plain?.cost
            ?? LinearBound.cost(problem, prices: .init(roundTrip: 0, frame: 0))
        // Rounding may not lift the bound above what can be reached.
        let tokens = Double(problem.rowsPerStep)
        self.seconds = seconds * (1 - 1e-12) / tokens
        roundTripsAtBound = plain.map { Self.roundTrips(problem, $0.places) / tokens }
        let limit = seconds * (1 + tolerance)
        let trips = Self.least(problem, limit) { .init(roundTrip: $0, frame: 0) }
        leastRoundTrips = trips / tokens
        leastFrames =
            max(trips, Self.least(problem, limit) { .init(roundTrip: 0, frame: $0) }) / tokens
    }

    /// The least traffic of deployments that take no longer than a limit: with a price, time and
    /// traffic together are at least what the priced bound says, for every price.
    private static func least(
        _ problem: DeploymentProblem, _ limit: Double,
        _ prices: (Double) -> DeploymentLayer.Prices
    ) -> Double {
        guard limit > 0 else { return 0 }
        return (0..<steps).reduce(0) { least, step in
            let price = limit / Double(1 << step)
            let priced = prices(price)
            let cost =
                PooledDeployment(problem, prices: priced)?.cost
                ?? LinearBound.cost(problem, prices: priced)
            return max(least, (cost - limit) / price)
        }
    }

    /// The share of steps, summed over layers, that visit an expert on a device.
    private static func roundTrips(
        _ problem: DeploymentProblem, _ places: [LayerRelaxation.Places]
    ) -> Double {
        places.indices.reduce(0) { sum, layer in
            let total = problem.sets[layer].reduce(0) { $0 + $1.count }
            guard !places[layer].isEmpty, total > 0 else { return sum }
            let leaving = problem.sets[layer].reduce(0) { count, set in
                count + (set.experts.contains { places[layer][$0] == 1 } ? set.count : 0)
            }
            return sum + Double(leaving) / Double(total)
        }
    }
}
