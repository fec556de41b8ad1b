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
        let devices: [Device]
        let events: [Event]
    }

    struct Placement: Decodable {
        let devices: [String]
        let layers: [[Int?]]
    }

    /// Most events shown.
    private static let eventsShown = 8

    let status: Status
    let placement: Placement

    /// The page: sums, devices, where experts are, events.
    var text: String {
        [sums, devices, homes, events].filter { !$0.isEmpty }.joined(separator: "\n\n")
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
                device.name, device.state,
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

    /// A row for each layer; a letter for each expert's device, "." for the base station.
    private var homes: String {
        guard !placement.devices.isEmpty else { return "" }
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        func letter(_ index: Int) -> String {
            index < letters.count ? String(letters[index]) : "#"
        }
        let legend = placement.devices.enumerated().map { "\(letter($0)) \($1)" }
        let rows = placement.layers.enumerated().map { number, layer in
            let cells = layer.map { $0.map(letter) ?? "." }.joined()
            return "  layer \(number): " + (cells.isEmpty ? "no experts" : cells)
        }
        return (["experts: \(legend.joined(separator: ", ")), . base station"] + rows)
            .joined(separator: "\n")
    }

    private var events: String {
        status.events.suffix(Self.eventsShown).map { event in
            let time = Date(timeIntervalSince1970: Double(event.unixTime))
                .formatted(date: .omitted, time: .standard)
            return "\(time) \(event.kind): \(event.text)"
        }.joined(separator: "\n")
    }

    private static func time(_ seconds: Double?) -> String {
        guard let seconds else { return "-" }
        return seconds < 0.01
            ? String(format: "%.2f ms", seconds * 1e3)
            : seconds < 1
                ? String(format: "%.0f ms", seconds * 1e3) : String(format: "%.2f s", seconds)
    }

    private static func rate(_ value: Double) -> String {
        String(format: value >= 100 ? "%.0f" : "%.1f", value)
    }

    private static func percent(_ share: Double) -> String {
        "\(Int((100 * min(1, share)).rounded())) %"
    }
}
