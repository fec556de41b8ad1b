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
        /// Seconds of a row on the way, both ways together. A row travels once in a frame, however
        /// many of the device's experts it visits.
        package var rowSeconds: Double
        /// `t_k`: seconds of a visit, computing.
        package var visitSeconds: Double

        package init(
            name: String, memoryBytes: Int, messageSeconds: Double, visitSeconds: Double,
            rowSeconds: Double = 0
        ) {
            self.name = name
            self.memoryBytes = memoryBytes
            self.messageSeconds = messageSeconds
            self.rowSeconds = rowSeconds
            self.visitSeconds = visitSeconds
        }

        /// A frame with one row there and back, nothing computed.
        var frameSeconds: Double { messageSeconds + rowSeconds }
    }

    /// What a frame costs the base station where nobody measured it: a row encoded, a few system
    /// calls and wake-ups.
    package static let usualFrameSeconds = 0.0001

    package var shape: ModelShape
    /// `[layers]`: the sets of experts that a step visits, and how often.
    package var sets: [[RoutedSet]]
    /// Tokens that are decoded together in a step: their sets are one (`decodingTogether`).
    package internal(set) var rowsPerStep = 1
    package var devices: [Device]
    /// Memory of the base station for experts.
    package var residentBytes: Int
    /// Seconds of a visit to an expert in the base station's memory.
    package var residentSeconds: Double
    /// Seconds of a visit to an expert that no memory holds: from the base station's file.
    package var fileSeconds: Double
    /// Rows of prompts for each decoded token. Rows of a long prompt take in each layer what the
    /// busiest place takes for its share of the rows and visits.
    package var promptRows: Double
    /// The base station's own seconds for each frame: encoded and sent one after the other before
    /// it computes, and received after.
    package var frameSeconds: Double
    /// `[layers][experts]`: how soon steps come back to experts. The base station then keeps, in
    /// memory that holds nothing for good, what was visited last; empty: it does not.
    package var reuse: [[ReuseTimes]] = []
    /// That memory, where its window is fixed.
    var recent: RecentMemory?

    package init(
        shape: ModelShape, sets: [[RoutedSet]], devices: [Device], residentBytes: Int,
        residentSeconds: Double, fileSeconds: Double, promptRows: Double,
        frameSeconds: Double = Self.usualFrameSeconds
    ) {
        precondition(sets.count == shape.layers, "sets of every layer")
        self.shape = shape
        self.sets = sets
        self.devices = devices
        self.residentBytes = residentBytes
        self.residentSeconds = residentSeconds
        self.fileSeconds = fileSeconds
        self.promptRows = promptRows
        self.frameSeconds = frameSeconds
    }
}

/// Where an expert is.
package enum ExpertHome: Sendable, Hashable {
    /// In the base station's memory.
    case resident
    /// On the device of this number.
    case device(Int)
    /// In no memory for good: in the base station's file, and in its memory while tokens visit it.
    case file
}

/// What a token costs under a deployment, by the recorded routing; a step, where it says so.
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

    static func / (cost: DeploymentCost, count: Int) -> DeploymentCost {
        var part = cost
        part.secondsPerToken /= Double(count)
        part.secondsPerPromptRow /= Double(count)
        part.roundTripsPerToken /= Double(count)
        part.framesPerToken /= Double(count)
        return part
    }
}

extension DeploymentProblem {
    /// What a layer of a step costs with these homes, `[experts]` (ours): for decoding the base
    /// station's work on frames, and then the place that takes longest, its own experts beside the
    /// devices'. Of a long prompt's rows each place has its share.
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
                case .file: own += fileSeconds(layer, expert)
                case .device(let device): visits[device] += 1
                }
            }
            var slowest = own
            var frames = 0
            for (number, device) in devices.enumerated() where visits[number] > 0 {
                let work = Double(visits[number]) * device.visitSeconds
                slowest = max(slowest, device.frameSeconds + work)
                loads[number] += share * (device.rowSeconds + work)
                frames += 1
                visits[number] = 0
            }
            ownLoad += share * own
            cost.secondsPerToken += share * (slowest + Double(frames) * frameSeconds)
            cost.roundTripsPerToken += frames > 0 ? share : 0
            cost.framesPerToken += share * Double(frames)
        }
        cost.secondsPerPromptRow = max(ownLoad, loads.max() ?? 0)
        return cost
    }

    /// What all layers cost a token.
    ///
    /// - Parameter homes: `[layers][experts]`; empty for a dense layer.
    package func cost(_ homes: [[ExpertHome]]) -> DeploymentCost {
        guard !reuse.isEmpty else { return stepCost(homes) / rowsPerStep }
        return keeping(window(homes)).cost(homes)
    }

    /// Seconds of a visit to an expert that no memory holds for good, on average.
    func fileSeconds(_ layer: Int, _ expert: Int) -> Double {
        recent?.seconds[layer][expert] ?? fileSeconds
    }

    /// Bytes of the base station's memory that such an expert takes, on average.
    func recentBytes(_ layer: Int, _ expert: Int) -> Int {
        recent?.bytes[layer][expert] ?? 0
    }

    /// What all layers cost a step: what searches go by.
    func stepCost(_ homes: [[ExpertHome]]) -> DeploymentCost {
        homes.indices.reduce(into: DeploymentCost()) { sum, layer in
            if shape.expertBytes[layer] > 0 { sum += cost(layer: layer, homes: homes[layer]) }
        }
    }

    /// The time that is made small: of a decoded token and its share of prompts.
    package func seconds(_ cost: DeploymentCost) -> Double {
        cost.secondsPerToken + promptRows * cost.secondsPerPromptRow
    }

    /// What is made small: time first; of equal times the fewer round trips, then frames.
    func objective(_ cost: DeploymentCost) -> Double {
        seconds(cost) + Self.tripWeight * cost.roundTripsPerToken
            + Self.frameWeight * cost.framesPerToken
    }

    /// Seconds that a round trip and a frame count beside their time: less than anyone could
    /// measure, so that they only decide between equals.
    static let (tripWeight, frameWeight) = (1e-7, 1e-8)

    /// Bytes of each memory: the base station's, then the devices'.
    var memoryBytes: [Int] {
        [residentBytes - (recent?.reserve ?? 0)] + devices.map(\.memoryBytes)
    }

    /// Bytes left of each memory: the base station's, then the devices'; below 0: too full.
    func bytesLeft(_ homes: [[ExpertHome]]) -> [Int] {
        var left = memoryBytes
        for (layer, experts) in homes.enumerated() {
            for (expert, home) in experts.enumerated() {
                if let memory = home.memory {
                    left[memory] -= shape.expertBytes[layer]
                } else {
                    left[0] -= recentBytes(layer, expert)
                }
            }
        }
        return left
    }
}

extension DeploymentProblem {
    /// Nothing is in any memory.
    var emptyHomes: [[ExpertHome]] {
        shape.expertBytes.map { bytes in
            Array(repeating: .file, count: bytes > 0 ? shape.experts : 0)
        }
    }

    /// Bytes that come to devices which did not have them.
    ///
    /// - Parameters:
    ///   - old: where experts were, by this problem's devices.
    ///   - held: by device, experts that it had beside those.
    package func shippedBytes(
        _ homes: [[ExpertHome]], from old: [[ExpertHome]], held: [Set<ExpertID>]
    ) -> Int {
        var bytes = 0
        for (layer, experts) in homes.enumerated() {
            for (expert, home) in experts.enumerated() where home != old[layer][expert] {
                guard case .device(let device) = home else { continue }
                let id = ExpertID(layer: layer, expert: expert)
                if device >= held.count || !held[device].contains(id) {
                    bytes += shape.expertBytes[layer]
                }
            }
        }
        return bytes
    }

    /// `[experts]`: the share of a layer's tokens that visit each.
    func heat(_ layer: Int) -> [Double] {
        var counts = [Int](repeating: 0, count: shape.experts)
        for set in sets[layer] { for expert in set.experts { counts[expert] += set.count } }
        let total = max(1, sets[layer].reduce(0) { $0 + $1.count })
        return counts.map { Double($0) / Double(total) }
    }

    /// A layer's experts, hottest first; of equals the first.
    func hottest(_ layer: Int) -> [Int] {
        let heat = heat(layer)
        return heat.indices.sorted { (-heat[$0], $0) < (-heat[$1], $1) }
    }
}

extension ExpertHome {
    /// The inverse of `memory`.
    init(memory: Int?) {
        self = memory.map { $0 == 0 ? .resident : .device($0 - 1) } ?? .file
    }

    /// Which memory it takes: 0 the base station's, then the devices'; nil for the file.
    var memory: Int? {
        switch self {
        case .resident: 0
        case .device(let device): device + 1
        case .file: nil
        }
    }
}
