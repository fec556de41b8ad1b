import SystemModel

/// Splits the spectrum so that the slowest device finishes first:
/// `min_B max_k (o_k + n_k t_k(B_k))` subject to `Σ B_k ≤ B` (methods,
/// section 2; the problem is the paper's, the solver ours).
///
/// `t_k` is convex and decreasing, so at the optimum all devices that use spectrum finish together,
/// at the τ where the bandwidths that τ needs sum to `B`. That sum falls with τ; its root is
/// bracketed and found by Newton's method on the inverse of the sum, with bisection as a guard.
/// Guide: docs/Algorithms/BandwidthAllocation.md
///
/// - Complexity: O(devices) per step, about ten steps; measured by Experiments/check_bandwidth.py.
struct MinMaxBandwidth {
    private struct Active {
        let device: Int
        let tokens: Double
        /// `o + n · compute`
        let fixed: Double
        let curve: AirtimeCurve
        /// Last answer, where the next search starts.
        var hertz: Double
    }

    private let problem: BandwidthProblem
    private let total: Double
    private var active: [Active]

    init(_ problem: BandwidthProblem) {
        self.problem = problem
        total = problem.total.value
        let devices = problem.devices
        let busy = devices.indices.filter {
            devices[$0].tokens > 0 && devices[$0].bitsDown.value + devices[$0].bitsUp.value > 0
        }
        active = busy.map { device in
            let tokens = Double(devices[device].tokens)
            return Active(
                device: device, tokens: tokens,
                fixed: devices[device].message.value + tokens * devices[device].compute.value,
                curve: problem.curve(device), hertz: problem.total.value / Double(busy.count))
        }
    }

    consuming func solve() -> BandwidthPlan {
        var hertz = [Double](repeating: 0, count: problem.devices.count)
        guard !active.isEmpty else { return problem.plan(hertz) }
        solveTime()
        let sum = active.reduce(0) { $0 + $1.hertz }
        for device in active { hertz[device.device] = device.hertz * (total / sum) }
        return problem.plan(hertz)
    }

    /// Finds τ and leaves every device with the bandwidth that it needs for it.
    private mutating func solveTime() {
        // With all of the spectrum nobody is faster; with an equal share nobody need be slower.
        var low = active.map { seconds($0, total) }.max() ?? 0
        var high = active.map { seconds($0, total / Double(active.count)) }.max() ?? 0
        var time = low + 0.5 * (high - low)
        for _ in 0..<200 {
            let (sum, slope) = demand(time)
            if sum > total { low = time } else { high = time }
            if abs(sum - total) <= 1e-12 * total { return }
            // Newton on 1/sum - 1/total, which is nearly straight.
            var next = time + (sum / total - 1) * sum / -slope
            if !(next > low && next < high) { next = low + 0.5 * (high - low) }
            if abs(next - time) <= 1e-15 * time { return }
            time = next
        }
    }

    private func seconds(_ device: Active, _ hertz: Double) -> Double {
        device.fixed + device.tokens * device.curve.airSeconds(hertz)
    }

    /// The spectrum that everybody needs to finish by `time`, and its derivative by time.
    private mutating func demand(_ time: Double) -> (sum: Double, slope: Double) {
        var sum = 0.0
        var slope = 0.0
        for index in active.indices {
            let device = active[index]
            let target = (time - device.fixed) / device.tokens
            let hertz = device.curve.hertz(
                airSeconds: target, start: device.hertz, limit: total)
            active[index].hertz = hertz
            sum += hertz
            slope += 1 / (device.tokens * device.curve.airDerivatives(hertz).first)
        }
        return (sum, slope)
    }
}
