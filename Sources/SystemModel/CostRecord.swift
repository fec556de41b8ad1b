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
    /// Pairs of a token and an expert, wherever computed.
    package var pairs = 0
    /// Pairs computed at the base station.
    package var localPairs = 0
    /// Pairs of layers whose experts were predicted a layer ahead.
    package var predictedPairs = 0
    /// Those of them that the prediction named.
    package var rightlyPredictedPairs = 0
    /// Groups of pairs that were planned for a device and computed at the base station instead,
    /// because the device was lost, late or not there.
    package var recomputedGroups = 0
    /// By device name.
    package var devices: [String: Device] = [:]
    /// `[layer][expert]`: the device that computed the expert in the last step, or nil where none
    /// did; shorter or empty where no device computed anything.
    package var hosts: [[String?]] = []

    package init() {}

    /// The part of the step in which the base station itself computed, in seconds.
    package var computeSeconds: Double { max(0, totalSeconds - networkWaitSeconds) }
    /// Frames that devices answered, for each token.
    package var roundTripsPerToken: Double {
        let frames = devices.values.reduce(0) { $0 + $1.roundTrips }
        return tokens > 0 ? Double(frames) / Double(tokens) : 0
    }
    /// Share of the visited experts that were predicted a layer ahead; nil where none was.
    package var predictionRecall: Double? {
        predictedPairs > 0 ? Double(rightlyPredictedPairs) / Double(predictedPairs) : nil
    }
    /// Payload bytes base station → devices.
    package var downlinkBytes: Int { devices.values.reduce(0) { $0 + $1.downlinkBytes } }
    /// Payload bytes devices → base station.
    package var uplinkBytes: Int { devices.values.reduce(0) { $0 + $1.uplinkBytes } }

    /// Adds another step's costs.
    package mutating func add(_ other: CostRecord) {
        tokens += other.tokens
        steps += other.steps
        draftedTokens += other.draftedTokens
        acceptedTokens += other.acceptedTokens
        totalSeconds += other.totalSeconds
        networkWaitSeconds += other.networkWaitSeconds
        pairs += other.pairs
        localPairs += other.localPairs
        predictedPairs += other.predictedPairs
        rightlyPredictedPairs += other.rightlyPredictedPairs
        recomputedGroups += other.recomputedGroups
        hosts = other.hosts
        for (name, device) in other.devices { devices[name, default: Device()].add(device) }
    }
}
