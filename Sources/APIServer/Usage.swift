import OrderedJSON
import Serving
import SystemModel

/// What a request's answers took together.
struct Usage {
    private(set) var promptTokens = 0
    private var reusedTokens = 0
    private(set) var answerTokens = 0
    private var cost = CostRecord()
    private var firstTokenSeconds: Double?
    private var queueSeconds = 0.0

    /// - Parameter countsPrompt: false for a further answer to the same prompt.
    mutating func add(_ end: CompletionEnd, countsPrompt: Bool = true) {
        promptTokens += countsPrompt ? end.promptTokens : 0
        reusedTokens += countsPrompt ? end.reusedTokens : 0
        answerTokens += end.answerTokens
        cost.add(end.cost)
        queueSeconds = max(queueSeconds, end.queueSeconds)
        guard let seconds = end.firstTokenSeconds else { return }
        firstTokenSeconds = min(firstTokenSeconds ?? seconds, seconds)
    }

    /// OpenAI's object, with the cost record as `martlet`.
    var json: JSONValue {
        .members([
            ("prompt_tokens", .integer(promptTokens)),
            ("completion_tokens", .integer(answerTokens)),
            ("total_tokens", .integer(promptTokens + answerTokens)),
            ("prompt_tokens_details", .members([("cached_tokens", .integer(reusedTokens))])),
            ("martlet", martlet),
        ])
    }

    private var martlet: JSONValue {
        let selection = cost.selection.map { [("selection", Self.selection($0))] } ?? []
        return .members(
            [
                ("queue_seconds", .decimal(queueSeconds)),
                ("first_token_seconds", firstTokenSeconds.map(JSONValue.decimal) ?? .null),
                ("tokens", .integer(cost.tokens)), ("steps", .integer(cost.steps)),
                ("total_seconds", .decimal(cost.totalSeconds)),
                ("network_wait_seconds", .decimal(cost.networkWaitSeconds)),
                ("round_trips", .integer(cost.roundTrips)), ("frames", .integer(cost.frames)),
                ("pairs", .integer(cost.pairs)), ("local_pairs", .integer(cost.localPairs)),
                ("file_visits", .integer(cost.fileVisits)),
                ("downlink_bytes", .integer(cost.downlinkBytes)),
                ("uplink_bytes", .integer(cost.uplinkBytes)),
                ("devices", .members(cost.devices.sorted { $0.key < $1.key }.map(Self.device))),
            ] + selection)
    }

    private static func selection(_ selection: CostRecord.Selection) -> JSONValue {
        .members([
            ("dropped", .integer(selection.dropped)),
            ("substituted", .integer(selection.substituted)),
            ("dropped_mass", .decimal(selection.droppedMass)),
            ("estimated_loss_nats", .decimal(selection.lossNats)),
        ])
    }

    private static func device(
        _ name: String, _ device: CostRecord.Device
    ) -> (String, JSONValue) {
        (
            name,
            .members([
                ("round_trips", .integer(device.roundTrips)),
                ("pairs", .integer(device.pairs)),
                ("downlink_bytes", .integer(device.downlinkBytes)),
                ("uplink_bytes", .integer(device.uplinkBytes)),
                ("compute_seconds", .decimal(device.computeSeconds)),
                ("round_trip_seconds", .decimal(device.roundTripSeconds)),
                ("lost_frames", .integer(device.lostFrames)),
            ])
        )
    }
}

extension CompletionEnd.Reason {
    /// OpenAI's word; an answer whose time was over is one that got too long.
    var finishReason: String { self == .stop ? "stop" : "length" }
}
