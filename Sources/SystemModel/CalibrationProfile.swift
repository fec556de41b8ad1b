/// What a model was seen to do on a text: who is chosen, how large and how alike outputs are, and
/// how much the model's loss feels a change of a layer. Planners, caching and compression read it.
package struct CalibrationProfile: Sendable, Equatable {
    /// One expert of one layer.
    package struct Expert: Sendable, Equatable {
        /// Tokens that visited it.
        package var visits: Int
        /// Mean gate weight over those, after normalising.
        package var meanWeight: Double
        /// Mean Euclidean norm of its output over those.
        package var meanOutputNorm: Double
        /// Mean output over those, `[hidden]`.
        package var meanOutput: [Double]

        package init(
            visits: Int, meanWeight: Double, meanOutputNorm: Double, meanOutput: [Double]
        ) {
            self.visits = visits
            self.meanWeight = meanWeight
            self.meanOutputNorm = meanOutputNorm
            self.meanOutput = meanOutput
        }
    }

    /// One layer. Matrices are `[experts · experts]`, row-major.
    package struct Layer: Sendable, Equatable {
        package var experts: [Expert]
        /// Tokens that visited both experts.
        package var coactivation: [Int]
        /// Mean product of two experts' outputs over tokens that rank both among the best few.
        package var products: [Double]
        /// Visits of the row's expert followed by one of the column's in the next layer; empty in
        /// the last layer.
        package var transitions: [Int]
        /// How much the model's loss grows, in nats per token, for a mean square change of the
        /// layer's output of 1.
        package var lossPerSquare: Double

        package init(
            experts: [Expert], coactivation: [Int], products: [Double], transitions: [Int],
            lossPerSquare: Double
        ) {
            self.experts = experts
            self.coactivation = coactivation
            self.products = products
            self.transitions = transitions
            self.lossPerSquare = lossPerSquare
        }

        /// The cosine of two experts' outputs, -1...1.
        package func similarity(_ left: Int, _ right: Int) -> Double {
            let count = experts.count
            let norms = products[left * count + left] * products[right * count + right]
            return norms > 0 ? products[left * count + right] / norms.squareRoot() : 0
        }
    }

    /// Tokens seen.
    package var tokens: Int
    /// In the model's order; empty matrices for a dense layer.
    package var layers: [Layer]

    package init(tokens: Int, layers: [Layer]) {
        self.tokens = tokens
        self.layers = layers
    }
}

/// The experts that tokens visited together in a layer, and how many tokens did.
package struct RoutedSet: Sendable, Equatable {
    /// Ascending.
    package var experts: [Int]
    package var count: Int

    package init(experts: [Int], count: Int) {
        self.experts = experts
        self.count = count
    }
}

/// What was recorded of a model's routing.
package struct RecordedRouting: Sendable, Equatable {
    /// `[layers]`: the sets of experts that tokens visited; empty for dense layers.
    package var sets: [[RoutedSet]]
    /// `[layers][experts]`: how soon tokens came back to each.
    package var reuse: [[ReuseTimes]]

    package init(sets: [[RoutedSet]], reuse: [[ReuseTimes]]) {
        self.sets = sets
        self.reuse = reuse
    }
}

/// One token's choice in one layer, as recorded.
package struct RoutingVisit: Sendable, Equatable {
    package var window: Int
    package var position: Int
    package var layer: Int
    package var expert: Int
    package var weight: Double

    package init(window: Int, position: Int, layer: Int, expert: Int, weight: Double) {
        self.window = window
        self.position = position
        self.layer = layer
        self.expert = expert
        self.weight = weight
    }
}
