import SystemModel

/// Selection and spectrum of one layer together: `min τ + κ · mean loss` (methods, section 2:
/// priced selection with bandwidth; ours).
///
/// For given counts of tokens the best split of the spectrum finishes everywhere at τ, and one more
/// token at device k costs `p_k = (∂B_k/∂n_k) / Σ_j (-∂B_j/∂τ)` seconds of τ: what it needs in
/// spectrum, at the price of spectrum in time. Given prices, each token takes the set of experts
/// with the least `κ · loss + Σ p`: it drops, or turns to another expert on a cheaper device, and
/// gives the kept ones the weights that lose least. Prices and choices alternate, prices averaged;
/// the best iterate stays. One κ for all layers and channels spends quality where it buys most
/// time.
///
/// - Complexity: O(iterations · (tokens · candidates + devices)).
package struct PricedBandwidth: Sendable {
    /// What a token may do besides dropping.
    package struct Options: Sendable, Equatable {
        /// Turn to an expert outside the model's choice.
        package var substitutes = true
        /// Weigh kept experts by least squares instead of scaling their weights to 1.
        package var compensates = true

        package init() {}
    }

    /// One thing a token can do.
    struct Candidate {
        let experts: [Int]
        let shares: [Double]
        let loss: Double
    }

    /// A substitute is looked for among this many best experts beyond the model's choice.
    private static let spareExperts = 2
    private static let iterations = 16

    let problem: SelectionProblem
    let bandwidth: BandwidthProblem
    private let quality: QualityModel
    private let layer: Int
    private let options: Options
    let candidates: [[Candidate]]

    package init(
        _ problem: SelectionProblem, bandwidth: BandwidthProblem, quality: QualityModel,
        layer: Int, options: Options
    ) {
        self.problem = problem
        self.bandwidth = bandwidth
        self.quality = quality
        self.layer = layer
        self.options = options
        candidates = problem.ranked.indices.map {
            Self.candidates(problem, $0, quality, layer, options)
        }
    }

    /// The plan for an exchange rate.
    ///
    /// - Parameter secondsPerLoss: κ.
    package func solve(secondsPerLoss: Double) -> LayerPlan {
        var best = candidates.map { _ in 0 }
        var plan = split(best)
        var bestValue = plan.seconds + secondsPerLoss * meanLoss(best)
        var prices = tokenPrices(best, plan)
        for _ in 0..<Self.iterations {
            let choice = choose(prices, secondsPerLoss)
            plan = split(choice)
            let value = plan.seconds + secondsPerLoss * meanLoss(choice)
            if value < bestValue { (best, bestValue) = (choice, value) }
            prices = zip(prices, tokenPrices(choice, plan)).map { 0.6 * $0 + 0.4 * $1 }
        }
        return result(best)
    }

    /// What `solve(secondsPerLoss:)` minimises, s.
    func value(_ choice: [Int], secondsPerLoss: Double) -> Double {
        split(choice).seconds + secondsPerLoss * meanLoss(choice)
    }

    /// The plan of the least time that drops no more than `epsilon` of the weight.
    package func solve(epsilon: Double) -> LayerPlan {
        var (low, high) = (1e-9, 1e6)
        var best = result(candidates.map { _ in 0 })
        for _ in 0..<24 {
            let rate = (low * high).squareRoot()
            let plan = solve(secondsPerLoss: rate)
            if plan.droppedMass <= epsilon {
                high = rate
                if plan.bandwidth.seconds < best.bandwidth.seconds { best = plan }
            } else {
                low = rate
            }
        }
        return best
    }

    /// The first is the model's own choice.
    private static func candidates(
        _ problem: SelectionProblem, _ token: Int, _ quality: QualityModel, _ layer: Int,
        _ options: Options
    ) -> [Candidate] {
        let ranked = problem.ranked[token]
        let own = Array(zip(ranked, problem.shares(token)))
        let first = Candidate(experts: ranked, shares: own.map(\.1), loss: 0)
        return [first]
            + sets(problem, token, options).filter { $0 != ranked }.map { kept in
                let plain = kept.map { problem.weights[token][$0] }
                let sum = max(plain.reduce(0, +), 1e-300)
                let shares =
                    options.compensates
                    ? quality.compensated(layer: layer, own: own, kept: kept)
                    : plain.map { $0 / sum }
                let loss = quality.loss(
                    layer: layer, own: own, used: Array(zip(kept, shares)))
                return Candidate(experts: kept, shares: shares, loss: loss)
            }
    }

    /// Sets of experts to consider: all subsets of a few, or for a large K the best few.
    private static func sets(
        _ problem: SelectionProblem, _ token: Int, _ options: Options
    ) -> [[Int]] {
        let ranked = problem.ranked[token]
        guard ranked.count <= 3 else {
            return (1...ranked.count).map { Array(ranked.prefix($0)) }
        }
        var pool = ranked
        if options.substitutes {
            let row = problem.weights[token]
            let spare = row.indices.filter { !ranked.contains($0) }
                .sorted { (-row[$0], $0) < (-row[$1], $1) }
            pool += spare.prefix(spareExperts)
        }
        return (1..<(1 << pool.count)).map { subset in
            pool.indices.filter { subset >> $0 & 1 == 1 }.map { pool[$0] }
        }.filter { $0.count <= ranked.count }
    }

    private func choose(_ prices: [Double], _ secondsPerLoss: Double) -> [Int] {
        let rate = secondsPerLoss / Double(candidates.count)
        return candidates.map { options in
            var best = (value: Double.infinity, index: 0)
            for (index, candidate) in options.enumerated() {
                let value = candidate.experts.reduce(rate * candidate.loss) {
                    $0 + prices[device($1, prices)]
                }
                if value < best.value { best = (value, index) }
            }
            return best.index
        }
    }

    func device(_ expert: Int, _ prices: [Double]) -> Int {
        let holders = problem.holders[expert]
        return holders.min { prices[$0] < prices[$1] } ?? holders[0]
    }

    func meanLoss(_ choice: [Int]) -> Double {
        zip(candidates, choice).reduce(0) { $0 + $1.0[$1.1].loss } / Double(choice.count)
    }

    func selection(_ choice: [Int]) -> Selection {
        Selection(kept: zip(candidates, choice).map { $0[$1].experts }, of: problem)
    }

    func split(_ choice: [Int]) -> BandwidthPlan {
        let tokens = selection(choice).tokens(devices: problem.devices.count)
        return BandwidthMethod.minmax.allocate(bandwidth.with(tokens: tokens))
    }

    private func result(_ choice: [Int]) -> LayerPlan {
        let selection = selection(choice)
        return LayerPlan(
            selection: selection, shares: zip(candidates, choice).map { $0[$1].shares },
            bandwidth: split(choice), droppedMass: problem.droppedMass(selection))
    }

    /// `p_k`, `[devices]`, in seconds of τ per token.
    private func tokenPrices(_ choice: [Int], _ plan: BandwidthPlan) -> [Double] {
        let counts = selection(choice).tokens(devices: problem.devices.count)
        let time = plan.seconds
        var spectrumPerSecond = 0.0
        let spectrumPerToken = counts.indices.map { device -> Double in
            let costs = bandwidth.devices[device]
            let curve = bandwidth.curve(device)
            let tokens = Double(max(1, counts[device]))
            let air = (time - costs.message.value) / tokens - costs.compute.value
            guard air > curve.leastAirSeconds else { return .infinity }
            let hertz = curve.hertz(
                airSeconds: air, start: max(plan.hertz[device], 1), limit: bandwidth.total.value)
            let (value, slope, _) = curve.airDerivatives(max(hertz, 1e-3))
            if counts[device] > 0 { spectrumPerSecond -= 1 / (tokens * slope) }
            return (costs.compute.value + value) / (tokens * -slope)
        }
        return spectrumPerToken.map { min($0 / spectrumPerSecond, 1e6) }
    }
}
