package import SystemModel

/// One base station, its devices, and a model whose experts are to be dealt to their memories.
package struct DeploymentProblem: Sendable, Equatable {
    /// A device as the base station sees it.
    package struct Device: Sendable, Equatable {
        package var name: String
        /// Memory that it offers for experts.
        package var memoryBytes: Int
        /// `o_k`: seconds of a message there and back, nothing computed.
        package var messageSeconds: Double
        /// `t_k`: seconds of a visit, on the way and computing.
        package var visitSeconds: Double

        package init(
            name: String, memoryBytes: Int, messageSeconds: Double, visitSeconds: Double
        ) {
            self.name = name
            self.memoryBytes = memoryBytes
            self.messageSeconds = messageSeconds
            self.visitSeconds = visitSeconds
        }
    }

    package var shape: ModelShape
    /// `[layers]`: the sets of experts that tokens visited, and how often.
    package var sets: [[RoutedSet]]
    package var devices: [Device]
    /// Memory of the base station for experts.
    package var residentBytes: Int
    /// Seconds of a visit to an expert in the base station's memory.
    package var residentSeconds: Double
    /// Seconds of a visit to an expert that no memory holds: from the base station's file.
    package var fileSeconds: Double
    /// Rows of prompts for each decoded token. Rows of a long prompt take in each layer what the
    /// busiest place takes for its share of the visits.
    package var promptRows: Double

    package init(
        shape: ModelShape, sets: [[RoutedSet]], devices: [Device], residentBytes: Int,
        residentSeconds: Double, fileSeconds: Double, promptRows: Double
    ) {
        precondition(sets.count == shape.layers, "sets of every layer")
        self.shape = shape
        self.sets = sets
        self.devices = devices
        self.residentBytes = residentBytes
        self.residentSeconds = residentSeconds
        self.fileSeconds = fileSeconds
        self.promptRows = promptRows
    }
}

/// Where an expert is.
package enum ExpertHome: Sendable, Hashable {
    /// In the base station's memory.
    case resident
    /// On the device of this number.
    case device(Int)
    /// In no memory: in the base station's file.
    case file
}

/// What a token costs under a deployment, by the recorded routing.
package struct DeploymentCost: Sendable, Equatable {
    /// Of a decoded token's experts, over all layers.
    package var secondsPerToken = 0.0
    /// Of a row of a long prompt.
    package var secondsPerPromptRow = 0.0
    /// Layers for which at least one frame goes out.
    package var roundTripsPerToken = 0.0
    package var framesPerToken = 0.0

    package init() {}

    static func += (sum: inout DeploymentCost, other: DeploymentCost) {
        sum.secondsPerToken += other.secondsPerToken
        sum.secondsPerPromptRow += other.secondsPerPromptRow
        sum.roundTripsPerToken += other.roundTripsPerToken
        sum.framesPerToken += other.framesPerToken
    }
}

extension DeploymentProblem {
    /// What a layer costs with these homes, `[experts]` (ours): a decoded token waits for the place
    /// that takes longest, the base station's own work beside the devices'.
    ///
    /// - Complexity: O(sets · (K + devices)).
    func cost(layer: Int, homes: [ExpertHome]) -> DeploymentCost {
        let total = sets[layer].reduce(0) { $0 + $1.count }
        var cost = DeploymentCost()
        guard total > 0 else { return cost }
        var loads = [Double](repeating: 0, count: devices.count)
        var ownLoad = 0.0
        var visits = [Int](repeating: 0, count: devices.count)
        for set in sets[layer] {
            let share = Double(set.count) / Double(total)
            var own = 0.0
            for expert in set.experts {
                switch homes[expert] {
                case .resident: own += residentSeconds
                case .file: own += fileSeconds
                case .device(let device): visits[device] += 1
                }
            }
            var slowest = own
            var frames = 0
            for device in visits.indices where visits[device] > 0 {
                let work = Double(visits[device]) * devices[device].visitSeconds
                slowest = max(slowest, devices[device].messageSeconds + work)
                loads[device] += share * work
                frames += 1
                visits[device] = 0
            }
            ownLoad += share * own
            cost.secondsPerToken += share * slowest
            cost.roundTripsPerToken += frames > 0 ? share : 0
            cost.framesPerToken += share * Double(frames)
        }
        cost.secondsPerPromptRow = max(ownLoad, loads.max() ?? 0)
        return cost
    }

    /// What all layers cost together.
    ///
    /// - Parameter homes: `[layers][experts]`; empty for a dense layer.
    package func cost(_ homes: [[ExpertHome]]) -> DeploymentCost {
        homes.indices.reduce(into: DeploymentCost()) { sum, layer in
            if shape.expertBytes[layer] > 0 { sum += cost(layer: layer, homes: homes[layer]) }
        }
    }

    /// What is made small: time first; of equal times the fewer round trips, then frames.
    func objective(_ cost: DeploymentCost) -> Double {
        cost.secondsPerToken + promptRows * cost.secondsPerPromptRow
            + Self.tripWeight * cost.roundTripsPerToken + Self.frameWeight * cost.framesPerToken
    }

    /// Seconds that a round trip and a frame count beside their time: less than anyone could
    /// measure, so that they only decide between equals.
    private static let (tripWeight, frameWeight) = (1e-7, 1e-8)

    /// Bytes left of each memory: the base station's, then the devices'; below 0: too full.
    func bytesLeft(_ homes: [[ExpertHome]]) -> [Int] {
        var left = [residentBytes] + devices.map(\.memoryBytes)
        for (layer, experts) in homes.enumerated() {
            for home in experts {
                if let memory = home.memory { left[memory] -= shape.expertBytes[layer] }
            }
        }
        return left
    }
}

extension ExpertHome {
    /// Which memory it takes: 0 the base station's, then the devices'; nil for the file.
    var memory: Int? {
        switch self {
        case .resident: 0
        case .device(let device): device + 1
        case .file: nil
        }
    }
}
