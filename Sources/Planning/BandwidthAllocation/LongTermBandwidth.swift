import Foundation
package import SystemModel

/// One split for all layers: `min_B Σ_l max_k (o_k + n_{k,l} t_k(B_k))` subject to `Σ B_k ≤ B`
/// (methods, section 2; solver ours).
///
/// Convex. Written with one deadline τ_l per layer, `min Σ τ_l` subject to `T_{k,l}(B_k) ≤ τ_l`,
/// and solved by an interior-point method: Newton on a logarithmic barrier, in which the deadlines
/// are eliminated so that each step is one system of as many equations as devices. For when the
/// shares cannot change between layers.
package struct LongTermBandwidth: Sendable {
    /// One visit of a layer to a device: `T = fixed + tokens · air(b)`.
    private struct Visit {
        let layer: Int
        let variable: Int
        let fixed: Double
        let tokens: Double
    }

    private let problem: BandwidthProblem
    /// Devices that any layer uses; position is the variable's.
    private let devices: [Int]
    private let visits: [Visit]
    private let layerCount: Int

    /// - Parameters:
    ///   - problem: the devices; its own counts of tokens are not used.
    ///   - tokens: `[layers][devices]`.
    package init(_ problem: BandwidthProblem, tokens: [[Int]]) {
        self.problem = problem
        let used = problem.devices.indices.filter { device in
            tokens.contains { $0[device] > 0 }
                && problem.devices[device].bitsDown.value
                    + problem.devices[device].bitsUp.value > 0
        }
        devices = used
        layerCount = tokens.count
        visits = tokens.enumerated().flatMap { layer, counts in
            used.enumerated().filter { counts[$1] > 0 }.map { variable, device in
                let count = Double(counts[device])
                let costs = problem.devices[device]
                return Visit(
                    layer: layer, variable: variable,
                    fixed: costs.message.value + count * costs.compute.value, tokens: count)
            }
        }
    }

    /// The split, `[devices]` in Hz; the sum of the layers' times is within 1e-7 of the least,
    /// relatively.
    ///
    /// - Complexity: O(devices³ + layers · devices²) per Newton step, some 60 steps.
    package func solve() -> [Hertz] {
        var answer = [Hertz](repeating: .zero, count: problem.devices.count)
        guard !devices.isEmpty else { return answer }
        let unit = problem.total.value / Double(devices.count)
        var shares = [Double](repeating: 0.999, count: devices.count)
        var deadlines = layerTimes(shares.map { $0 * unit }).map { $0 * 1.5 + 1e-12 }
        let scale = max(deadlines.reduce(0, +), 1e-300)
        var pressure = Double(visits.count + devices.count) / scale
        while Double(visits.count + 1) / pressure > 1e-8 * scale {
            centre(&shares, &deadlines, unit: unit, pressure: pressure)
            pressure *= 8
        }
        let sum = shares.reduce(0, +)
        for (variable, device) in devices.enumerated() {
            answer[device] = Hertz(problem.total.value * shares[variable] / sum)
        }
        return answer
    }

    /// The time of every layer under a split over the used devices, s.
    private func layerTimes(_ hertz: [Double]) -> [Double] {
        let air = devices.indices.map { problem.curve(devices[$0]).airSeconds(hertz[$0]) }
        var times = [Double](repeating: 0, count: layerCount)
        for visit in visits {
            times[visit.layer] = max(
                times[visit.layer], visit.fixed + visit.tokens * air[visit.variable])
        }
        return times
    }

    /// The barrier's value: `pressure · Σ τ - Σ log slack - log (spectrum left)`; infinite outside.
    private func barrier(
        _ shares: [Double], _ deadlines: [Double], unit: Double, pressure: Double
    ) -> Double {
        let left = Double(devices.count) - shares.reduce(0, +)
        guard left > 0, shares.allSatisfy({ $0 > 0 }) else { return .infinity }
        let air = devices.indices.map {
            problem.curve(devices[$0]).airSeconds(shares[$0] * unit)
        }
        var value = pressure * deadlines.reduce(0, +) - log(left)
        for visit in visits {
            let slack = deadlines[visit.layer] - visit.fixed - visit.tokens * air[visit.variable]
            guard slack > 0 else { return .infinity }
            value -= log(slack)
        }
        return value
    }

    /// Newton steps to the barrier's minimum.
    private func centre(
        _ shares: inout [Double], _ deadlines: inout [Double], unit: Double, pressure: Double
    ) {
        for _ in 0..<50 {
            let step = newtonStep(shares, deadlines, unit: unit, pressure: pressure)
            if step.decrement < 1e-9 { return }
            let value = barrier(shares, deadlines, unit: unit, pressure: pressure)
            var length = 1.0
            while length > 1e-12 {
                let nextShares = zip(shares, step.shares).map { $0 + length * $1 }
                let nextDeadlines = zip(deadlines, step.deadlines).map { $0 + length * $1 }
                let next = barrier(nextShares, nextDeadlines, unit: unit, pressure: pressure)
                if next <= value - 0.1 * length * step.decrement {
                    (shares, deadlines) = (nextShares, nextDeadlines)
                    break
                }
                length *= 0.5
            }
            if length <= 1e-12 { return }
        }
    }

    private func newtonStep(
        _ shares: [Double], _ deadlines: [Double], unit: Double, pressure: Double
    ) -> (shares: [Double], deadlines: [Double], decrement: Double) {
        let count = devices.count
        let left = Double(count) - shares.reduce(0, +)
        let curves = devices.indices.map {
            problem.curve(devices[$0]).airDerivatives(shares[$0] * unit)
        }
        var gradient = [Double](repeating: 1 / left, count: count)
        var hessian = [[Double]](
            repeating: [Double](repeating: 1 / (left * left), count: count), count: count)
        var timeGradient = [Double](repeating: pressure, count: layerCount)
        var timeHessian = [Double](repeating: 0, count: layerCount)
        var mixed = [[Double]](
            repeating: [Double](repeating: 0, count: count), count: layerCount)
        for visit in visits {
            let curve = curves[visit.variable]
            let inverse =
                1 / (deadlines[visit.layer] - visit.fixed - visit.tokens * curve.value)
            let slope = visit.tokens * curve.first * unit
            gradient[visit.variable] += inverse * slope
            hessian[visit.variable][visit.variable] +=
                inverse * visit.tokens * curve.second * unit * unit
                + inverse * inverse * slope * slope
            timeGradient[visit.layer] -= inverse
            timeHessian[visit.layer] += inverse * inverse
            mixed[visit.layer][visit.variable] -= inverse * inverse * slope
        }
        let used = (0..<layerCount).filter { timeHessian[$0] > 0 }
        for layer in used {
            for row in 0..<count {
                let factor = mixed[layer][row] / timeHessian[layer]
                gradient[row] -= factor * timeGradient[layer]
                for column in 0..<count { hessian[row][column] -= factor * mixed[layer][column] }
            }
        }
        let step = solveSymmetric(hessian, gradient.map { -$0 })
        var timeStep = [Double](repeating: 0, count: layerCount)
        for layer in used {
            let coupled = zip(mixed[layer], step).reduce(0) { $0 + $1.0 * $1.1 }
            timeStep[layer] = -(timeGradient[layer] + coupled) / timeHessian[layer]
        }
        var decrement = zip(gradient, step).reduce(0) { $0 - $1.0 * $1.1 }
        for layer in used {
            decrement += timeGradient[layer] * timeGradient[layer] / timeHessian[layer]
        }
        return (step, timeStep, decrement)
    }
}

/// Solves `matrix · x = right` for a symmetric positive definite matrix (Cholesky).
func solveSymmetric(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    let count = right.count
    var factor = matrix
    for row in 0..<count {
        for column in 0...row {
            var sum = factor[row][column]
            for term in 0..<column { sum -= factor[row][term] * factor[column][term] }
            factor[row][column] =
                row == column ? max(sum, 1e-300).squareRoot() : sum / factor[column][column]
        }
    }
    var solution = right
    for row in 0..<count {
        for term in 0..<row { solution[row] -= factor[row][term] * solution[term] }
        solution[row] /= factor[row][row]
    }
    for row in (0..<count).reversed() {
        for term in row + 1..<count { solution[row] -= factor[term][row] * solution[term] }
        solution[row] /= factor[row][row]
    }
    return solution
}
