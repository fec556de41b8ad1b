import SystemModel

/// How far below the priced policy any choice could be: a relaxed bound (ours).
///
/// To finish by τ, device k needs `B_k(n_k)` Hz for `n_k` tokens. Tokens per second are concave in
/// spectrum, so `B_k` is convex and a tangent to it, at any counts, asks for no more than the
/// tokens do. With a price on the spectrum that the tangents ask for, every token chooses by
/// itself: the Lagrangian dual, whose value is a loss that no choice finishing by τ falls below. It
/// allows fractions of tokens, so a large batch comes close to it.
///
/// The least loss grows as τ falls: between two times of a grid, `τ + κ · loss` is at least the
/// earlier time with the later's loss. That costs at most one step of the grid, 0.25 %.
///
/// - Complexity: O(grid · tokens · candidates).
struct PricedBound {
    /// Spectrum that counts need to finish by a time, from below: `at + slope · n`.
    private struct Tangent {
        var at: Double
        var slope: Double
    }

    /// What tokens choose at a price of spectrum.
    private struct Answer {
        /// The dual's value, mean loss.
        var loss = 0.0
        /// Spectrum asked for beyond what there is, in multiples of that.
        var excess = 0.0
        /// `[devices]`
        var counts: [Double]
    }

    private static let gridStep = 0.9975
    private static let tangentRounds = 3

    private let priced: PricedBandwidth
    private let secondsPerLoss: Double

    init(_ priced: PricedBandwidth, secondsPerLoss: Double) {
        self.priced = priced
        self.secondsPerLoss = secondsPerLoss
    }

    /// How much smaller `τ + κ · mean loss` could be at most, s: the time that another choice of
    /// the same loss could save.
    func gap(_ plan: LayerPlan) -> Double {
        let choice = zip(priced.candidates, plan.selection.kept).map { candidates, kept in
            candidates.firstIndex { $0.experts == kept } ?? 0
        }
        let value = plan.bandwidth.seconds + secondsPerLoss * priced.meanLoss(choice)
        return value - bound(under: value)
    }

    /// A value of `τ + κ · mean loss` that no choice falls below, `value` being one's.
    func bound(under value: Double) -> Double {
        let model = priced.candidates.map { _ in 0 }
        var counts = priced.selection(model).tokens(devices: devices.count).map(Double.init)
        var (best, time) = (value, value)
        while time > 0 {
            let cost = secondsPerLoss * leastLoss(by: time, &counts)
            guard cost < best else { break }
            time *= Self.gridStep
            best = min(best, time + cost)
        }
        return best
    }

    /// A mean loss that no choice finishing by `time` falls below; `counts` are where tangents
    /// touch first, and become where they touched last.
    private func leastLoss(by time: Double, _ counts: inout [Double]) -> Double {
        var loss = 0.0
        for _ in 0..<Self.tangentRounds {
            let tangents = devices.indices.map { tangent($0, counts[$0], time) }
            let answer = highest(tangents)
            loss = max(loss, answer.loss)
            counts = zip(counts, answer.counts).map { 0.5 * ($0 + $1) }
        }
        return loss
    }

    /// The dual's maximum over prices. Any price bounds; the last ones found mix to counts that
    /// need just the spectrum there is.
    private func highest(_ tangents: [Tangent]) -> Answer {
        var cheap = answer(0, tangents)
        guard cheap.excess > 0 else { return cheap }
        var (low, high) = (0.0, 1e-6)
        var dear = answer(high, tangents)
        while dear.excess > 0, high < 1e9 {
            (low, cheap) = (high, dear)
            high *= 4
            dear = answer(high, tangents)
        }
        for _ in 0..<30 {
            let middle = 0.5 * (low + high)
            let next = answer(middle, tangents)
            if next.excess > 0 {
                (low, cheap) = (middle, next)
            } else {
                (high, dear) = (middle, next)
            }
        }
        let part = min(1, max(0, cheap.excess / max(cheap.excess - dear.excess, 1e-300)))
        return Answer(
            loss: max(cheap.loss, dear.loss),
            counts: zip(cheap.counts, dear.counts).map { (1 - part) * $0 + part * $1 })
    }

    /// - Parameter price: of all the spectrum, in mean loss.
    private func answer(_ price: Double, _ tangents: [Tangent]) -> Answer {
        let slopes = tangents.map(\.slope)
        let tokens = Double(priced.candidates.count)
        var answer = Answer(counts: slopes.map { _ in 0 })
        answer.excess = tangents.reduce(-1) { $0 + $1.at }
        for candidates in priced.candidates {
            var best = (cost: Double.infinity, index: 0)
            for (index, candidate) in candidates.enumerated() {
                let cost = candidate.experts.reduce(candidate.loss / tokens) {
                    $0 + price * slopes[priced.device($1, slopes)]
                }
                if cost < best.cost { best = (cost, index) }
            }
            answer.loss += best.cost
            for expert in candidates[best.index].experts {
                let device = priced.device(expert, slopes)
                answer.counts[device] += 1
                answer.excess += slopes[device]
            }
        }
        answer.loss += price * tangents.reduce(-1) { $0 + $1.at }
        return answer
    }

    /// In multiples of the whole spectrum.
    private func tangent(_ device: Int, _ count: Double, _ time: Double) -> Tangent {
        let costs = devices[device]
        let curve = priced.bandwidth.curve(device)
        let total = priced.bandwidth.total.value
        let span = time - costs.message.value
        // A device that cannot even answer by then takes more than there is for a single token.
        guard span > 0 else { return Tangent(at: 0, slope: 1e6) }
        let most = span / curve.tokenSeconds(total)
        let touching = min(max(count, 0.01 * most), most)
        let hertz = curve.hertz(
            airSeconds: span / touching - costs.compute.value, start: total / 8, limit: total)
        let slope = span / (touching * touching * -curve.airDerivatives(hertz).first)
        return Tangent(at: (hertz - slope * touching) / total, slope: slope / total)
    }

    private var devices: [BandwidthDevice] { priced.bandwidth.devices }
}
