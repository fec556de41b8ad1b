/// What one step of the model (one token when decoding, the whole prompt when prefilling) cost.
///
/// Bench, log and dashboard read the same record. Uplink is device → base station.
package struct CostRecord: Sendable, Equatable, Codable {
    /// What one device added to the step.
    package struct Device: Sendable, Equatable, Codable {
        /// Frames sent to the device and answered by it.
        package var roundTrips: Int
        /// Payload bytes base station → device.
        package var downlinkBytes: Int
        /// Payload bytes device → base station.
        package var uplinkBytes: Int
        /// Pairs of a token and an expert that it computed.
        package var pairs: Int
        /// Time it says it computed, in seconds.
        package var computeSeconds: Double
        /// Time from sending a frame to having its answer, summed over frames, in seconds.
        package var roundTripSeconds: Double
        /// Frames that it did not answer, so that somebody else computed them.
        package var lostFrames: Int

        package init(
            roundTrips: Int = 0, downlinkBytes: Int = 0, uplinkBytes: Int = 0, pairs: Int = 0,
            computeSeconds: Double = 0, roundTripSeconds: Double = 0, lostFrames: Int = 0
        ) {
            self.roundTrips = roundTrips
            self.downlinkBytes = downlinkBytes
            self.uplinkBytes = uplinkBytes
            self.pairs = pairs
            self.computeSeconds = computeSeconds
            self.roundTripSeconds = roundTripSeconds
            self.lostFrames = lostFrames
        }

        /// Adds another step's costs.
        package mutating func add(_ other: Device) {
            roundTrips += other.roundTrips
            downlinkBytes += other.downlinkBytes
            uplinkBytes += other.uplinkBytes
            pairs += other.pairs
            computeSeconds += other.computeSeconds
            roundTripSeconds += other.roundTripSeconds
            lostFrames += other.lostFrames
        }
    }

    /// What a selection policy changed of the model's own choice.
    package struct Selection: Sendable, Equatable, Codable {
        /// Pairs of the model's choice that were not visited.
        package var dropped: Int
        /// Pairs visited in their place.
        package var substituted: Int
        /// Dropped weight, summed over tokens and layers; a token's choice in a layer weighs 1.
        package var droppedMass: Double
        /// Estimated loss, summed over tokens, in nats.
        package var lossNats: Double

        package init(
            dropped: Int = 0, substituted: Int = 0, droppedMass: Double = 0, lossNats: Double = 0
        ) {
            self.dropped = dropped
            self.substituted = substituted
            self.droppedMass = droppedMass
            self.lossNats = lossNats
        }

        /// Adds another token's or step's.
        package mutating func add(_ other: Selection) {
            dropped += other.dropped
            substituted += other.substituted
            droppedMass += other.droppedMass
            lossNats += other.lossNats
        }

        fileprivate func adding(_ other: Selection) -> Selection {
            var sum = self
            sum.add(other)
            return sum
        }
    }

    /// One layer's experts, as expected from devices' measured speeds and as it was.
    package struct LayerTime: Sendable, Equatable, Codable {
        /// `max_k (o_k + rows_k t_k)` when the layer's frames went out, in seconds.
        package let predictedSeconds: Double
        /// From the first frame out until the last answer is in, in seconds.
        package let measuredSeconds: Double

        package init(predictedSeconds: Double, measuredSeconds: Double) {
            self.predictedSeconds = predictedSeconds
            self.measuredSeconds = measuredSeconds
        }
    }

    /// Tokens that the step advanced.
    package var tokens = 0
    /// Passes of the model.
    package var steps = 0
    /// Tokens that were guessed ahead and verified in the same pass.
    package var draftedTokens = 0
    /// Those of them that were right.
    package var acceptedTokens = 0
    /// The whole step, in seconds.
    package var totalSeconds = 0.0
    /// The part of it in which the inference thread only waited for devices, in seconds.
    package var networkWaitSeconds = 0.0
    /// Layers for which at least one frame had to go out.
    package var roundTrips = 0
    /// Pairs of a token and an expert, wherever computed.
    package var pairs = 0
    /// Pairs computed at the base station.
    package var localPairs = 0
    /// Visits of a layer to an expert that the base station had to read from the model's file, or
    /// computed from it, since no memory of its own held it.
    package var fileVisits = 0
    /// Pairs of layers whose experts were predicted a layer ahead.
    package var predictedPairs = 0
    /// Those of them that the prediction named.
    package var rightlyPredictedPairs = 0
    /// Nil where the model's own choice was visited without a policy.
    package var selection: Selection?
    /// The same of each row of one step, `[rows]`; empty in sums of steps.
    package var rowSelections: [Selection] = []
    /// Groups of pairs that were planned for a device and computed at the base station instead,
    /// because the device was lost, late or not there.
    package var recomputedGroups = 0
    /// By device name.
    package var devices: [String: Device] = [:]
    /// `[layer][expert]`: the device that computed the expert in the last step, or nil where none
    /// did; shorter or empty where no device computed anything.
    package var hosts: [[String?]] = []
    /// Of one step, the layers that waited for devices, in order; empty in sums of steps.
    package var layerTimes: [LayerTime] = []

    package init() {}

    /// All but the rows' and layers' parts, which only the step's own caller needs.
    private enum CodingKeys: String, CodingKey {
        case tokens, steps, draftedTokens, acceptedTokens, totalSeconds, networkWaitSeconds,
            roundTrips, pairs, localPairs, fileVisits, predictedPairs, rightlyPredictedPairs,
            recomputedGroups,
            selection, devices
    }

    /// The part of the step in which the base station itself computed, in seconds.
    package var computeSeconds: Double { max(0, totalSeconds - networkWaitSeconds) }
    /// Frames that devices answered.
    package var frames: Int { devices.values.reduce(0) { $0 + $1.roundTrips } }
    /// Frames that devices answered, for each token.
    package var framesPerToken: Double { tokens > 0 ? Double(frames) / Double(tokens) : 0 }
    /// Layers that had to wait for a device, for each token.
    package var roundTripsPerToken: Double {
        tokens > 0 ? Double(roundTrips) / Double(tokens) : 0
    }
    /// Share of the visited experts that were predicted a layer ahead; nil where none was.
    package var predictionRecall: Double? {
        predictedPairs > 0 ? Double(rightlyPredictedPairs) / Double(predictedPairs) : nil
    }
    /// Payload bytes base station → devices.
    package var downlinkBytes: Int { devices.values.reduce(0) { $0 + $1.downlinkBytes } }
    /// Payload bytes devices → base station.
    package var uplinkBytes: Int { devices.values.reduce(0) { $0 + $1.uplinkBytes } }

    /// Adds another pass of the same step, its layers' times too.
    package mutating func append(_ pass: CostRecord) {
        let times = layerTimes + pass.layerTimes
        add(pass)
        layerTimes = times
    }

    /// Adds another step's costs.
    package mutating func add(_ other: CostRecord) {
        tokens += other.tokens
        steps += other.steps
        draftedTokens += other.draftedTokens
        acceptedTokens += other.acceptedTokens
        totalSeconds += other.totalSeconds
        networkWaitSeconds += other.networkWaitSeconds
        roundTrips += other.roundTrips
        pairs += other.pairs
        localPairs += other.localPairs
        fileVisits += other.fileVisits
        predictedPairs += other.predictedPairs
        rightlyPredictedPairs += other.rightlyPredictedPairs
        if let other = other.selection { selection = (selection ?? Selection()).adding(other) }
        rowSelections = []
        layerTimes = []
        recomputedGroups += other.recomputedGroups
        hosts = other.hosts
        for (name, device) in other.devices { devices[name, default: Device()].add(device) }
    }
}
