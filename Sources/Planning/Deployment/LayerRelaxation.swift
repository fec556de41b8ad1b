import SystemModel

/// A layer over pooled devices: for every number of experts at the base station and on devices the
/// least that it costs, and which experts those are (ours).
struct LayerRelaxation {
    /// One kind of place for each expert: 0 the base station's memory, 1 a device, 2 the file.
    typealias Places = [UInt8]

    private let experts: Int
    /// `[resident][devices]` in one row.
    private var costs: [Double]
    private var places: [Places]

    /// Tries every expert in every place.
    ///
    /// - Complexity: O(3^experts · sets), a few operations each.
    init(_ problem: DeploymentProblem, layer: Int, pool: PooledDevices) {
        experts = problem.shape.experts
        costs = Array(repeating: .infinity, count: (experts + 1) * (experts + 1))
        places = Array(repeating: [], count: costs.count)
        let counter = Counter(problem, layer: layer, pool: pool)
        let all = UInt64(1) << UInt64(experts) - 1
        for resident in 0...all {
            var devices = all & ~resident
            while true {
                let cost = counter.cost(resident: resident, devices: devices)
                let at = index(resident.nonzeroBitCount, devices.nonzeroBitCount)
                if cost < costs[at] {
                    costs[at] = cost
                    places[at] = (0..<experts).map {
                        resident >> UInt64($0) & 1 == 1
                            ? 0 : devices >> UInt64($0) & 1 == 1 ? 1 : 2
                    }
                }
                if devices == 0 { break }
                devices = (devices - 1) & ~resident & all
            }
        }
    }

    func cost(resident: Int, devices: Int) -> Double { costs[index(resident, devices)] }

    func places(resident: Int, devices: Int) -> Places { places[index(resident, devices)] }

    private func index(_ resident: Int, _ devices: Int) -> Int {
        resident * (experts + 1) + devices
    }

    /// What a layer costs by the bits of its experts.
    private struct Counter {
        private let sets: [(mask: UInt64, size: Int, share: Double)]
        private let pool: PooledDevices
        private let heat: [Double]
        private let problem: DeploymentProblem
        /// Visits a second of all devices.
        private let rate: Double

        init(_ problem: DeploymentProblem, layer: Int, pool: PooledDevices) {
            self.problem = problem
            self.pool = pool
            let total = Double(max(1, problem.sets[layer].reduce(0) { $0 + $1.count }))
            sets = problem.sets[layer].map { set in
                (
                    set.experts.reduce(0) { $0 | 1 << UInt64($1) }, set.experts.count,
                    Double(set.count) / total
                )
            }
            heat = problem.heat(layer)
            rate = problem.devices.reduce(0) { $0 + 1 / $1.visitSeconds }
        }

        func cost(resident: UInt64, devices: UInt64) -> Double {
            var sum = 0.0
            var leaving = 0.0
            for set in sets {
                let onDevices = (set.mask & devices).nonzeroBitCount
                let here = (set.mask & resident).nonzeroBitCount
                sum +=
                    set.share
                    * pool.cost(
                        resident: here, file: set.size - here - onDevices, devices: onDevices)
                if onDevices > 0 { leaving += set.share }
            }
            guard problem.promptRows > 0 else { return sum }
            return sum + problem.promptRows * row(resident, devices, leaving)
        }

        /// A prompt's row: what the base station computes, or what devices would each take if they
        /// shared rows and visits by their speeds.
        private func row(_ resident: UInt64, _ devices: UInt64, _ leaving: Double) -> Double {
            var (own, visits) = (0.0, 0.0)
            for (expert, heat) in heat.enumerated() {
                let bit = UInt64(1) << UInt64(expert)
                if devices & bit != 0 {
                    visits += heat
                } else {
                    own +=
                        heat
                        * (resident & bit != 0
                            ? problem.residentSeconds : problem.fileSeconds)
                }
            }
            return max(own, rate > 0 && rate.isFinite ? visits / rate + rowShare(leaving) : 0)
        }

        /// At least one device gets a row that leaves; weighted by speeds, as the visits are, the
        /// busiest has no less than the weighted mean.
        private func rowShare(_ leaving: Double) -> Double {
            let least = problem.devices.map { $0.rowSeconds / $0.visitSeconds / rate }.min() ?? 0
            return leaving * least
        }
    }
}
