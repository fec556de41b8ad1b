/// The devices as if their memories were one and each visit could go to any of them: what a decoded
/// token takes at least in a layer, by how many of its experts lie where (ours).
struct PooledDevices {
    private let most: Int
    /// `[resident][file][devices]` in one row: seconds and priced traffic.
    private let costs: [Double]

    /// - Parameters:
    ///   - most: the largest set of experts.
    ///   - prices: seconds that a round trip and a frame count beside their time.
    /// - Complexity: O(K² · (devices · log devices) + K³ · K).
    init(
        _ problem: DeploymentProblem, most: Int,
        prices: DeploymentLayer.Prices = .init(roundTrip: 0, frame: 0)
    ) {
        self.most = most
        let fastest = (0...most).map { Self.slowest(problem.devices, visits: $0) }
        var costs: [Double] = []
        for resident in 0...most {
            for file in 0...most {
                let own =
                    Double(resident) * problem.residentSeconds + Double(file) * problem.fileSeconds
                for visits in 0...most {
                    let options = fastest[visits].enumerated().map { more, slowest in
                        max(own, slowest)
                            + Double(more + 1) * (problem.frameSeconds + prices.frame)
                            + prices.roundTrip
                    }
                    costs.append(visits == 0 ? own : options.min() ?? .infinity)
                }
            }
        }
        self.costs = costs
    }

    func cost(resident: Int, file: Int, devices: Int) -> Double {
        costs[(resident * (most + 1) + file) * (most + 1) + devices]
    }

    /// By number of frames from 1 on, when the last of them is back at best.
    private static func slowest(_ devices: [DeploymentProblem.Device], visits: Int) -> [Double] {
        guard visits > 0, !devices.isEmpty else { return [] }
        let ends = Set(
            devices.flatMap { device in
                (1...visits).map { device.frameSeconds + Double($0) * device.visitSeconds }
            }
        ).sorted()
        return (1...min(visits, devices.count)).map { frames in
            ends.first { reach($0, devices, frames: frames, visits: visits) } ?? .infinity
        }
    }

    /// Whether so many devices can answer all visits by a moment.
    private static func reach(
        _ end: Double, _ devices: [DeploymentProblem.Device], frames: Int, visits: Int
    ) -> Bool {
        let counts = devices.map { device -> Int in
            // Rounding may not make the bound larger than what can be reached.
            let left = (end - device.frameSeconds) * (1 + 1e-9)
            guard left >= 0 else { return 0 }
            return device.visitSeconds > 0
                ? Int(min(Double(visits), (left / device.visitSeconds + 1e-9).rounded(.down)))
                : visits
        }
        return counts.sorted(by: >).prefix(frames).reduce(0, +) >= visits
    }
}
