import SystemModel

/// A cost record as commands print it: the record and its sums.
struct CostSummary: Codable {
    let tokens: Int
    let steps: Int
    let draftedTokens: Int
    let acceptedTokens: Int
    let roundTripsPerToken: Double
    let predictionRecall: Double?
    let totalSeconds: Double
    let computeSeconds: Double
    let networkWaitSeconds: Double
    let pairs: Int
    let localPairs: Int
    let recomputedGroups: Int
    let downlinkBytes: Int
    let uplinkBytes: Int
    let devices: [String: CostRecord.Device]

    init(_ record: CostRecord) {
        tokens = record.tokens
        steps = record.steps
        draftedTokens = record.draftedTokens
        acceptedTokens = record.acceptedTokens
        roundTripsPerToken = record.roundTripsPerToken
        predictionRecall = record.predictionRecall
        totalSeconds = record.totalSeconds
        computeSeconds = record.computeSeconds
        networkWaitSeconds = record.networkWaitSeconds
        pairs = record.pairs
        localPairs = record.localPairs
        recomputedGroups = record.recomputedGroups
        downlinkBytes = record.downlinkBytes
        uplinkBytes = record.uplinkBytes
        devices = record.devices
    }
}

extension CostRecord {
    /// One line: the step and each device in it.
    var line: String {
        let parts = devices.sorted { $0.key < $1.key }.map { name, device in
            "\(name) \(device.pairs) pairs \(Readable.milliseconds(device.roundTripSeconds))"
                + (device.lostFrames > 0 ? " (lost \(device.lostFrames))" : "")
        }
        return "  \(Readable.milliseconds(totalSeconds)), waiting "
            + "\(Readable.milliseconds(networkWaitSeconds)), down \(downlinkBytes) B, up "
            + "\(uplinkBytes) B, \(pairs) pairs, \(localPairs) here"
            + parts.map { "; \($0)" }.joined()
    }

    /// The sums, and a table of the devices.
    var report: String {
        let rate = totalSeconds > 0 ? Double(tokens) / totalSeconds : 0
        let sums =
            "\(tokens) tokens in \(Readable.milliseconds(totalSeconds)) "
            + "(\(Int(rate.rounded())) tokens/s): computing "
            + "\(Readable.milliseconds(computeSeconds)), waiting for devices "
            + "\(Readable.milliseconds(networkWaitSeconds)); \(localPairs) of \(pairs) expert "
            + "visits at the base station"
        var guesses =
            draftedTokens > 0
            ? "; \(acceptedTokens) of \(draftedTokens) drafted tokens were right" : ""
        if let predictionRecall {
            guesses += "; \(Int((100 * predictionRecall).rounded())) % of experts were predicted"
        }
        guard !devices.isEmpty else { return sums + guesses }
        let head = ["device", "frames", "lost", "visits", "down", "up", "compute", "round trip"]
        let rows = devices.sorted { $0.key < $1.key }.map { name, device in
            [
                name, "\(device.roundTrips)", "\(device.lostFrames)", "\(device.pairs)",
                Readable.bytes(device.downlinkBytes), Readable.bytes(device.uplinkBytes),
                Readable.milliseconds(device.computeSeconds),
                Readable.milliseconds(device.roundTripSeconds),
            ]
        }
        return sums + guesses + "\n" + Readable.table([head] + rows)
    }
}
