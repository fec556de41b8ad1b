import Foundation

/// What a server tells of itself at `/dashboard/status`, as text for a terminal.
struct StatusPage: Decodable {
    struct Status: Decodable {
        struct Model: Decodable {
            let id: String
            let layers: Int
            let experts: Int
        }

        struct Requests: Decodable {
            let running: Int
            let waiting: Int
        }

        struct Cache: Decodable {
            let bytes: Int
            let limitBytes: Int
        }

        struct Tokens: Decodable {
            let answerTotal: Int
            let promptTotal: Int
            let answerPerSecond: Double
            let promptPerSecond: Double
        }

        struct Latency: Decodable {
            let queueSeconds: Double?
            let firstTokenSeconds: Double?
            let tokenSeconds: Double?
            let stepComputingSeconds: Double?
            let stepWaitingSeconds: Double?
        }

        struct Groups: Decodable {
            let lost: Int
            let recomputed: Int
        }

        struct BaseStation: Decodable {
            let load: Double
        }

        struct Device: Decodable {
            let name: String
            let state: String
            let reason: String?
            let experts: Int
            let readyExperts: Int
            let pingSeconds: Double?
            let roundTripMedianSeconds: Double?
            let load: Double
            let downlinkBytesPerSecond: Double
            let uplinkBytesPerSecond: Double
            let lostBatches: Int
            let isFar: Bool
            let shippedBytes: Int
            let cachedBytes: Int
            let keptExperts: Int
            let keptBytes: Int
            let shipment: Shipment?
        }

        struct Shipment: Decodable {
            let doneBytes: Int
            let leftBytes: Int
            let bytesPerSecond: Double
            let secondsLeft: Double?
        }

        struct Plan: Decodable {
            struct Token: Decodable {
                let tokens: Int?
                let secondsPerToken: Double?
                let roundTripsPerToken: Double?
                let framesPerToken: Double?
            }

            struct Change: Decodable {
                let unixTime: Int
                let text: String
            }

            let source: String
            let file: String?
            let sinceUnixTime: Int?
            let underWay: Bool
            let foreseen: Token?
            let measured: Token?
            let changes: [Change]
        }

        struct Event: Decodable {
            let unixTime: Int
            let kind: String
            let text: String
        }

        let model: Model
        let ready: Bool
        let uptimeSeconds: Double
        let requests: Requests
        let kvCache: Cache
        let tokens: Tokens
        let latency: Latency
        let groups: Groups
        let baseStation: BaseStation
        let plan: Plan?
        let devices: [Device]
        let events: [Event]
    }

    struct Placement: Decodable {
        let devices: [String]
        let layers: [[Int?]]
        /// By device a bit for each expert of which it holds a copy, as base64.
        let copies: [String]
        /// The same for the base station's memory; nil where that is not told apart.
        let resident: String?
    }

    struct Popularity: Decodable {
        let visits: Int
        let experts: Int
        let topShare: Double
        /// 16 bits for each expert, as base64: of 65,535 parts of the top share, how many.
        let shares: String
    }

    /// Most events shown.
    private static let eventsShown = 8

    let status: Status
    let placement: Placement
    let popularity: Popularity

    /// The page: sums, devices, shipments, plan, where experts are and how often they were visited,
    /// events.
    var text: String {
        [sums, devices, shipments, plan, homes, hottest, events].filter { !$0.isEmpty }.joined(
            separator: "\n\n")
    }

    private var sums: String {
        let (tokens, latency) = (status.tokens, status.latency)
        let experts =
            status.model.experts > 0
            ? "\(status.model.layers) layers of \(status.model.experts) experts" : "no experts"
        return """
            \(status.model.id): \(experts); \(status.ready ? "ready" : "waits for devices"), up \
            \(Int(status.uptimeSeconds)) s
            tokens   \(Self.rate(tokens.answerPerSecond))/s drawn, \
            \(Self.rate(tokens.promptPerSecond))/s read; \(tokens.answerTotal) drawn, \
            \(tokens.promptTotal) read since the start
            latency  first token \(Self.time(latency.firstTokenSeconds)), later tokens \
            \(Self.time(latency.tokenSeconds)), queue \(Self.time(latency.queueSeconds)) (medians \
            of 10 s)
            a step   computing \(Self.time(latency.stepComputingSeconds)), waiting for devices \
            \(Self.time(latency.stepWaitingSeconds))
            requests \(status.requests.running) running, \(status.requests.waiting) waiting; KV \
            cache \(Readable.bytes(status.kvCache.bytes)) of \
            \(Readable.bytes(status.kvCache.limitBytes))
            groups   \(status.groups.lost) lost, \(status.groups.recomputed) recomputed at the \
            base station
            """
    }

    private var devices: String {
        let head = ["device", "state", "experts", "ping", "round trip", "load", "traffic", "lost"]
        let here = placement.layers.joined().count { $0 == nil }
        let base = [
            "base station", "ready", "\(here)", "", "", Self.percent(status.baseStation.load), "",
            "",
        ]
        let rows = status.devices.map { device -> [String] in
            let isLost = device.state == "lost"
            let traffic = Int(device.downlinkBytesPerSecond + device.uplinkBytesPerSecond)
            return [
                device.isFar ? "\(device.name) (far)" : device.name, device.state,
                device.readyExperts == device.experts
                    ? "\(device.experts)" : "\(device.readyExperts) of \(device.experts)",
                isLost ? "-" : Self.time(device.pingSeconds),
                Self.time(device.roundTripMedianSeconds),
                isLost ? "-" : Self.percent(device.load),
                isLost ? "-" : Readable.bytes(traffic) + "/s", "\(device.lostBatches)",
            ]
        }
        return Readable.table([head, base] + rows)
    }

    private var events: String {
        status.events.suffix(Self.eventsShown).map { event in
            "\(Self.clock(event.unixTime)) \(event.kind): \(event.text)"
        }.joined(separator: "\n")
    }

    static func clock(_ unixTime: Int) -> String {
        Date(timeIntervalSince1970: Double(unixTime)).formatted(date: .omitted, time: .standard)
    }

    static func time(_ seconds: Double?) -> String {
        guard let seconds else { return "-" }
        return seconds < 0.01
            ? String(format: "%.2f ms", seconds * 1e3)
            : seconds < 1
                ? String(format: "%.0f ms", seconds * 1e3) : String(format: "%.2f s", seconds)
    }

    static func rate(_ value: Double) -> String {
        String(format: value >= 100 ? "%.0f" : "%.1f", value)
    }

    static func percent(_ share: Double) -> String {
        "\(Int((100 * min(1, share)).rounded())) %"
    }
}
