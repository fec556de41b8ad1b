import MoEModel
import Serving
import Synchronization
import SystemModel

/// Counts what the server did, for Prometheus.
final class Metrics: Sendable {
    /// What became of a request.
    enum Outcome: String, CaseIterable {
        case answered, refused, failed, cancelled
    }

    /// How often something took at most so long.
    private struct Histogram {
        static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
        var counts = Array(repeating: 0, count: bounds.count + 1)
        var sum = 0.0

        mutating func add(_ seconds: Double) {
            counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
            sum += seconds
        }
    }

    private struct State {
        var outcomes: [Outcome: Int] = [:]
        var promptTokens = 0
        var reusedTokens = 0
        var answerTokens = 0
        var firstToken = Histogram()
        var perToken = Histogram()
        var cost = CostRecord()
    }

    private let state = Mutex(State())

    /// Counts a request by what became of it.
    func count(_ outcome: Outcome) {
        state.withLock { $0.outcomes[outcome, default: 0] += 1 }
    }

    /// Adds an answer.
    func note(_ end: CompletionEnd) {
        state.withLock { state in
            state.promptTokens += end.promptTokens
            state.reusedTokens += end.reusedTokens
            state.answerTokens += end.answerTokens
            state.cost.add(end.cost)
            guard let first = end.firstTokenSeconds else { return }
            state.firstToken.add(first)
            guard end.answerTokens > 1 else { return }
            state.perToken.add(end.secondsAfterFirstToken / Double(end.answerTokens - 1))
        }
    }

    /// The exposition format, version 0.0.4.
    func text(_ load: BatchEngine.Load) -> String {
        let state = state.withLock { $0 }
        var page = Page()
        page.family(
            "martlet_requests_total", "counter", "Requests by what became of them.",
            Outcome.allCases.map { ("outcome=\"\($0.rawValue)\"", state.outcomes[$0] ?? 0) })
        page.single("martlet_prompt_tokens_total", "counter", "Tokens read.", state.promptTokens)
        page.single(
            "martlet_reused_tokens_total", "counter", "Tokens that needed no reading.",
            state.reusedTokens)
        page.single(
            "martlet_answer_tokens_total", "counter", "Tokens drawn.", state.answerTokens)
        page.single("martlet_requests_waiting", "gauge", "Requests in the queue.", load.waiting)
        page.single("martlet_requests_running", "gauge", "Requests in the batch.", load.running)
        page.single(
            "martlet_kv_cache_bytes", "gauge", "Bytes of pages in use.", load.memory.bytesInUse)
        page.single("martlet_kept_prefixes", "gauge", "Texts kept for reuse.", load.prefixes)
        histogram(
            "martlet_first_token_seconds", "Time from request to first token.",
            state.firstToken, &page)
        histogram("martlet_token_seconds", "Time of each later token.", state.perToken, &page)
        devices(state.cost, &page)
        return page.text
    }

    private func histogram(
        _ name: String, _ help: String, _ histogram: Histogram, _ page: inout Page
    ) {
        page.head(name, "histogram", help)
        var sum = 0
        for (bound, count) in zip(Histogram.bounds, histogram.counts) {
            sum += count
            page.line("\(name)_bucket", "le=\"\(bound)\"", "\(sum)")
        }
        sum += histogram.counts[Histogram.bounds.count]
        page.line("\(name)_bucket", "le=\"+Inf\"", "\(sum)")
        page.line("\(name)_sum", "", "\(histogram.sum)")
        page.line("\(name)_count", "", "\(sum)")
    }

    private func devices(_ cost: CostRecord, _ page: inout Page) {
        let devices = cost.devices.sorted { $0.key < $1.key }
        func family(_ name: String, _ help: String, _ value: (CostRecord.Device) -> Double) {
            page.head(name, "counter", help)
            for (device, record) in devices {
                page.line(name, "device=\"\(Page.escaped(device))\"", "\(value(record))")
            }
        }
        family("martlet_device_round_trips_total", "Frames answered.") { Double($0.roundTrips) }
        family("martlet_device_round_trip_seconds_total", "Time to answers.") {
            $0.roundTripSeconds
        }
        family("martlet_device_compute_seconds_total", "Time computing.") { $0.computeSeconds }
        family("martlet_device_downlink_bytes_total", "Bytes to devices.") {
            Double($0.downlinkBytes)
        }
        family("martlet_device_uplink_bytes_total", "Bytes from devices.") {
            Double($0.uplinkBytes)
        }
        family("martlet_device_lost_frames_total", "Frames computed by others.") {
            Double($0.lostFrames)
        }
    }
}

/// Lines of the exposition format.
private struct Page {
    private(set) var text = ""

    mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func line(_ name: String, _ labels: String, _ value: String) {
        text += name + (labels.isEmpty ? "" : "{\(labels)}") + " \(value)\n"
    }

    mutating func family(
        _ name: String, _ type: String, _ help: String, _ values: [(String, Int)]
    ) {
        head(name, type, help)
        for (labels, value) in values { line(name, labels, "\(value)") }
    }

    mutating func single(_ name: String, _ type: String, _ help: String, _ value: Int) {
        family(name, type, help, [("", value)])
    }

    static func escaped(_ label: String) -> String {
        label.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}
