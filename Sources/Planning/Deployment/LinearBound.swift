import SystemModel

/// A bound for layers of too many experts to enumerate: weaker, but never above what can be reached
/// (ours).
///
/// A set's cost over pooled devices is at least linear in how many of its experts lie where; so
/// each expert costs by itself, and the two memories have prices per byte (Lagrange). Prompts are
/// left out.
enum LinearBound {
    /// Values tried for a visit to the file.
    private static let slopes = 6
    private static let (rounds, probes) = (3, 24)

    /// - Complexity: O(slopes · rounds · probes · layers · experts).
    static func cost(
        _ problem: DeploymentProblem, prices: DeploymentLayer.Prices
    ) -> Double {
        let sizes = Set(problem.sets.joined().map(\.experts.count))
        let pool = PooledDevices(problem, most: sizes.max() ?? 0, prices: prices)
        let layers = problem.sets.indices.filter { problem.shape.expertBytes[$0] > 0 }
            .map { (heat: problem.heat($0), bytes: Double(problem.shape.expertBytes[$0])) }
        let rooms = (
            Double(problem.residentBytes),
            Double(problem.devices.reduce(0) { $0 + $1.memoryBytes })
        )
        let here = min(problem.residentSeconds, problem.fileSeconds)
        return (0...slopes).map { step in
            let file =
                here + (problem.fileSeconds - here) * Double(step) / Double(slopes)
            let visit = Visit(
                resident: here, device: leastDevice(pool, sizes, here, file) ?? file,
                file: file)
            return dual(layers, visit, rooms)
        }.max() ?? 0
    }

    /// What a visit costs at least by its place.
    private struct Visit {
        let resident: Double
        let device: Double
        let file: Double
    }

    /// The most that a visit to a device may be said to cost, given the other two; nil without
    /// devices.
    private static func leastDevice(
        _ pool: PooledDevices, _ sizes: Set<Int>, _ here: Double, _ file: Double
    ) -> Double? {
        var least = Double.infinity
        for size in sizes where size > 0 {
            for devices in 1...size {
                for fromFile in 0...(size - devices) {
                    let resident = size - devices - fromFile
                    let cost = pool.cost(resident: resident, file: fromFile, devices: devices)
                    let others = Double(resident) * here + Double(fromFile) * file
                    least = min(least, (cost - others) / Double(devices))
                }
            }
        }
        return least.isFinite ? max(0, least) : nil
    }

    /// The best prices of memory, one in turn of the other: each is a concave search.
    private static func dual(
        _ layers: [(heat: [Double], bytes: Double)], _ visit: Visit, _ rooms: (Double, Double)
    ) -> Double {
        let most = layers.map { (($0.heat.max() ?? 0) * visit.file) / $0.bytes }.max() ?? 0
        func value(_ prices: (Double, Double)) -> Double {
            var sum = -prices.0 * rooms.0 - prices.1 * rooms.1
            for layer in layers {
                let (here, there) = (prices.0 * layer.bytes, prices.1 * layer.bytes)
                for heat in layer.heat {
                    sum += min(
                        heat * visit.resident + here, heat * visit.device + there,
                        heat * visit.file)
                }
            }
            return sum
        }
        var prices = (most / 2, most / 2)
        for _ in 0..<rounds {
            prices.0 = highest(most) { value(($0, prices.1)) }
            prices.1 = highest(most) { value((prices.0, $0)) }
        }
        return max(0, value(prices))
    }

    /// Where a concave function is highest, by thirds.
    private static func highest(_ most: Double, _ value: (Double) -> Double) -> Double {
        var (low, high) = (0.0, most)
        for _ in 0..<probes {
            let (left, right) = (low + (high - low) / 3, high - (high - low) / 3)
            if value(left) < value(right) { low = left } else { high = right }
        }
        return (low + high) / 2
    }
}
