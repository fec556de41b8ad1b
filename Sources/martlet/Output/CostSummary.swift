import Foundation
import SystemModel

/// A cost record as commands print it: the record and its sums.
struct CostSummary: Encodable {
    private enum CodingKeys: String, CodingKey {
        case framesPerToken, roundTripsPerToken, predictionRecall, computeSeconds, downlinkBytes,
            uplinkBytes
    }

    private let record: CostRecord

    init(_ record: CostRecord) { self.record = record }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(record.framesPerToken, forKey: .framesPerToken)
        try container.encode(record.roundTripsPerToken, forKey: .roundTripsPerToken)
        try container.encodeIfPresent(record.predictionRecall, forKey: .predictionRecall)
        try container.encode(record.computeSeconds, forKey: .computeSeconds)
        try container.encode(record.downlinkBytes, forKey: .downlinkBytes)
        try container.encode(record.uplinkBytes, forKey: .uplinkBytes)
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
            + parts.map { "; \($0)" }.joined() + (selection.map { "; " + $0.line } ?? "")
    }

    /// The sums, and a table of the devices.
    var report: String {
        let rate = totalSeconds > 0 ? Double(tokens) / totalSeconds : 0
        let sums =
            "\(tokens) tokens in \(Readable.milliseconds(totalSeconds)) "
            + "(\(Int(rate.rounded())) tokens/s): computing "
            + "\(Readable.milliseconds(computeSeconds)), waiting for devices "
            + "\(Readable.milliseconds(networkWaitSeconds)); \(localPairs) of \(pairs) expert "
            + "visits at the base station; "
            + String(
                format: "%.2f round trips and %.2f frames a token", roundTripsPerToken,
                framesPerToken)
        var guesses =
            draftedTokens > 0
            ? "; \(acceptedTokens) of \(draftedTokens) drafted tokens were right" : ""
        if let predictionRecall {
            guesses += "; \(Int((100 * predictionRecall).rounded())) % of experts were predicted"
        }
        if let selection { guesses += "; " + selection.line }
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

extension CostRecord.Selection {
    /// What a policy changed, in words.
    var line: String {
        "\(dropped) visits dropped, \(substituted) substituted, "
            + String(format: "%.5f nats estimated", lossNats)
    }
}
