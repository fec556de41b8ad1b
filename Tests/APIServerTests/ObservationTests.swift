import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import OrderedJSON
import Serving
import Synchronization
import SystemModel
import Testing

@testable import APIServer

/// What a server tells of itself: metrics, log, dashboard.
@Suite(.timeLimit(.minutes(5))) struct ObservationTests {
    private static let greedy =
        #""prompt": "Once upon a secret", "temperature": 0, "max_tokens": 8"#

    private static var cell: CellSnapshot {
        var cell = CellSnapshot()
        var left = CellSnapshot.Device(name: "le\"ft")
        (left.experts, left.readyExperts) = (4, 4)
        var right = CellSnapshot.Device(name: "right")
        (right.state, right.reason) = (.lost, "the connection closed")
        cell.devices = [left, right]
        cell.places.homes = [[nil, "right"], [], ["le\"ft", "right"]]
        var link = CellSnapshot.Link()
        link.batches.add(0.003)
        cell.links = ["le\"ft": link]
        cell.events = [
            CellSnapshot.Event(number: 1, unixTime: 1_700_000_000, kind: .lost, text: "right left")
        ]
        return cell
    }

    /// Every family has its help and type, every histogram its sum and count, labels are escaped.
    @Test func metricsTell() async throws {
        try await TestServer(cell: Self.cell).run { client in
            _ = try await client.post("/v1/completions", "{\(Self.greedy)}")
            let page = try await client.get("/metrics").text
            for line in [
                "martlet_answer_tokens_total 8", "martlet_requests_total{outcome=\"answered\"} 1",
                "martlet_first_token_seconds_bucket{le=\"+Inf\"} 1",
                "martlet_token_seconds_count 7", "martlet_queue_seconds_count 1",
                "martlet_recomputed_groups_total 0", "martlet_devices{state=\"ready\"} 1",
                "martlet_device_round_trip_seconds_bucket{device=\"le\\\"ft\",le=\"0.0025\"} 0",
                "martlet_device_round_trip_seconds_bucket{device=\"le\\\"ft\",le=\"0.005\"} 1",
                "martlet_device_round_trip_seconds_sum{device=\"le\\\"ft\"} 0.003",
            ] { #expect(page.contains("\n\(line)\n"), "\(line)") }
            var told: Set<Substring> = []
            for line in page.split(separator: "\n") {
                let words = line.split(separator: " ")
                if line.hasPrefix("# TYPE") {
                    #expect(told.insert(words[2]).inserted, "\(line)")
                } else if !line.hasPrefix("#") {
                    let name = line.prefix { $0 != "{" && $0 != " " }
                    #expect(told.contains { name.hasPrefix($0) }, "\(line)")
                    #expect(Double(words[words.count - 1]) != nil, "\(line)")
                }
            }
        }
    }

    /// A line for each request, with its id, status and tokens; never what was asked or the key.
    @Test func theLogTellsNoSecrets() async throws {
        let log = RecordingLog()
        var options = APIServer.Options()
        options.keys = try APIKeys("\(APIKeys.digest(of: "sesame")) me\n")
        options.logger = Logger(label: "test") { _ in log }
        try await TestServer(options: options).run { client in
            let key: HTTPFields = [.authorization: "Bearer sesame"]
            for stream in ["", ", \"stream\": true"] {
                let reply = try await client.post(
                    "/v1/completions?token=sesame", "{\(Self.greedy)\(stream)}", headers: key)
                #expect(reply.status == 200)
                let name = try #require(HTTPField.Name("x-request-id"))
                #expect(reply.headers[name] == "req-2a")
            }
            var named = key
            named[try #require(HTTPField.Name("x-request-id"))] = "mine"
            _ = try await client.post("/v1/completions", "{\"prompt\": \"secret\"", headers: named)
            _ = try await client.get("/health")
        }
        let lines = log.lines
        try #require(lines.count == 4)
        // A line is written after its answer has ended, perhaps after the next one's.
        let answers = lines.filter { $0.contains("answer_tokens=8 id=req-2a") }
        #expect(answers.count == 2)
        for line in answers {
            #expect(line.contains("info request"))
            #expect(line.contains("method=POST path=/v1/completions "))
            #expect(line.contains("status=200"))
        }
        #expect(lines.count { $0.contains("id=mine") && $0.contains("status=400") } == 1)
        #expect(lines.count { $0.hasPrefix("debug") } == 1)
        #expect(!lines.joined().contains("secret") && !lines.joined().contains("sesame"))
    }

    /// The page's files are open, need nothing from elsewhere, and allow nothing; what it shows
    /// needs a key.
    @Test func theDashboardLeaksNothing() async throws {
        var options = APIServer.Options()
        options.keys = try APIKeys("\(APIKeys.digest(of: "sesame")) me\n")
        try await TestServer(options: options).run { client in
            for path in ["/", "/dashboard/style.css", "/dashboard/app.js"] {
                let reply = try await client.get(path)
                #expect(reply.status == 200)
                let policy = try #require(reply.headers[.contentSecurityPolicy])
                #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'"))
                #expect(!reply.text.contains("http://") && !reply.text.contains("https://"))
                #expect(!reply.text.contains("innerHTML") && !reply.text.contains("style=\""))
            }
            for path in ["/dashboard/status", "/dashboard/events", "/metrics"] {
                #expect(try await client.get(path).status == 401, "\(path)")
            }
            let key: HTTPFields = [.authorization: "Bearer sesame"]
            #expect(try await client.get("/dashboard/status", headers: key).status == 200)
        }
    }

    @Test func theStatusIsOfTheCell() async throws {
        let server = try TestServer(cell: Self.cell)
        let monitor = server.monitor
        monitor.look()
        try await server.run { client in
            _ = try await client.post("/v1/completions", "{\(Self.greedy)}")
            monitor.look()
            let page = try await client.get("/dashboard/status").json
            let status = try #require(page["status"])
            #expect(status["tokens"]?["answer_total"] == .integer(8))
            #expect(status["devices"]?[0]?["state"]?.text == "ready")
            #expect(status["devices"]?[1]?["reason"]?.text == "the connection closed")
            #expect(status["devices"]?[0]?["round_trip_median_seconds"]?.double ?? 0 > 0.002)
            #expect(status["events"]?[0]?["kind"]?.text == "lost")
            #expect(page["placement"]?["devices"] == .array([.text("right"), .text("le\"ft")]))
            let layers: [JSONValue] = [
                .array([.null, .integer(0)]), .array([]), .array([.integer(1), .integer(0)]),
            ]
            #expect(page["placement"]?["layers"] == .array(layers))
        }
    }

    /// Each viewer is told of placement, popularity and status at once and of every look; not more
    /// than so many may watch, and stopping ends all.
    @Test func viewersFollow() async throws {
        let monitor = try TestServer(cell: Self.cell).monitor
        monitor.look()
        var first = try monitor.follow().makeAsyncIterator()
        #expect(await first.next()?.map(\.name) == ["placement", "popularity", "status"])
        monitor.look()
        #expect(await first.next()?.map(\.name) == ["status"])
        var others = try (1..<StatusMonitor.viewersLimit).map { _ in try monitor.follow() }
        #expect(throws: APIError.self) { try monitor.follow() }
        others.removeLast()
        others.append(try monitor.follow())
        monitor.stop()
        #expect(await first.next() == nil)
        #expect(throws: APIError.self) { try monitor.follow() }
    }

    /// A stream that asks for it tells for each token as many experts in each layer as the model
    /// has a token visit.
    @Test func streamsTellWhatTokensVisit() async throws {
        try await TestServer().run { client in
            let body = "{\(Self.greedy), \"stream\": true, \"martlet\": {\"trace\": true}}"
            let chunks = try await client.post("/v1/completions", body).chunks
            let traces = chunks.compactMap { $0["martlet"] }
            #expect(traces.count == 8)
            #expect(traces.allSatisfy { $0["visits"]?.array.isEmpty == false })
            for layer in traces.flatMap({ $0["visits"]?.array ?? [] }) {
                #expect(layer.array.count == 2)
                #expect(layer.array.allSatisfy { $0["device"] == nil })
            }
        }
    }

    /// Without the option no page of another origin is let in; with it, that one is.
    @Test func otherOriginsAreLetInOnlyIfNamed() async throws {
        let origin: HTTPFields = [.origin: "https://a.example"]
        try await TestServer().run { client in
            let reply = try await client.get("/v1/models", headers: origin)
            #expect(reply.headers[.accessControlAllowOrigin] == nil)
        }
        var options = APIServer.Options()
        options.corsOrigin = "https://a.example"
        options.keys = try APIKeys("\(APIKeys.digest(of: "sesame")) me\n")
        try await TestServer(options: options).run { client in
            let response = try await client.executeRequest(
                uri: "/v1/chat/completions", method: .options, headers: origin, body: nil)
            let preflight = Reply(response)
            #expect(preflight.status == 204)
            #expect(preflight.headers[.accessControlAllowOrigin] == "https://a.example")
            #expect(preflight.headers[.accessControlAllowHeaders]?.contains("uthorization") == true)
            // Pages can read refusals, too.
            let refused = try await client.get("/v1/models", headers: origin)
            #expect(refused.status == 401)
            #expect(refused.headers[.accessControlAllowOrigin] == "https://a.example")
        }
    }
}

/// Keeps lines as `level message key=value …`, ascending by key.
private final class RecordingLog: LogHandler {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value)" }
        kept.withLock { lines in
            lines.append("\(event.level) \(event.message) " + pairs.joined(separator: " ") + " ")
        }
    }
}
