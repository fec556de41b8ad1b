import Foundation
import OrderedJSON
import Serving
import SystemModel
import Testing

@testable import APIServer

/// What the dashboard is told of links, shipments, plans, and where experts are and how often they
/// are visited.
@Suite(.timeLimit(.minutes(5))) struct DashboardTests {
    private static let prompt =
        #"{"prompt": "Once upon a time", "temperature": 0, "max_tokens": 8}"#

    private static var cell: CellSnapshot {
        var cell = CellSnapshot()
        var near = CellSnapshot.Device(name: "near")
        (near.assignedBytes, near.readyBytes) = (1_000, 400)
        (near.shippedBytes, near.cachedBytes) = (300, 100)
        (near.diskBytes, near.keptExperts, near.keptBytes) = (5_000, 2, 700)
        var far = CellSnapshot.Device(name: "far")
        far.isFar = true
        var gone = CellSnapshot.Device(name: "gone")
        (gone.state, gone.assignedBytes) = (.lost, 1_000)
        cell.devices = [near, far, gone]
        var link = CellSnapshot.Link()
        (link.messageSeconds, link.bitsPerSecond) = (0.004, 80e6)
        cell.links = ["near": link]
        cell.places.homes = [["near", nil, nil], [], ["gone", "near", nil]]
        cell.places.copies = [
            "far": [ExpertID(layer: 0, expert: 0), ExpertID(layer: 2, expert: 2)]
        ]
        cell.places.resident = [ExpertID(layer: 0, expert: 2)]
        var plan = CellPlan(source: .file)
        (plan.file, plan.sinceUnixTime, plan.isUnderWay) = ("plan.json", 1_700_000_000, true)
        plan.foreseen = CellPlan.Foreseen(secondsPerToken: 0.01, roundTripsPerToken: 2.5)
        plan.changes = [CellPlan.Change(unixTime: 1_700_000_000, text: "4 experts to 1 device")]
        cell.plan = plan
        return cell
    }

    @Test func theStatusTellsLinksShipmentsAndPlan() async throws {
        let server = try TestServer(cell: Self.cell)
        let monitor = server.monitor
        monitor.look()
        try await server.run { client in
            let before = try #require(try await client.get("/dashboard/status").json["status"])
            #expect(before["plan"]?["measured"] == nil)
            _ = try await client.post("/v1/completions", Self.prompt)
            monitor.look()
            let reply = try await client.get("/dashboard/status")
            for null in ["message_seconds", "shipment", "seconds_left", "frames_per_token"] {
                #expect(reply.text.contains("\"\(null)\":null"), "\(null)")
            }
            let status = try #require(try reply.json["status"])
            let devices = try #require(status["devices"])
            #expect(devices[0]?["message_seconds"]?.double == 0.004)
            #expect(devices[0]?["bits_per_second"]?.double == 80e6)
            #expect(devices[1]?["message_seconds"] == nil)
            #expect(
                devices.array.map { $0["is_far"] } == [
                    .boolean(false), .boolean(true), .boolean(false),
                ])
            #expect(devices[0]?["shipment"]?["done_bytes"] == .integer(400))
            #expect(devices[0]?["shipment"]?["left_bytes"] == .integer(600))
            #expect(devices[2]?["shipment"] == nil)
            #expect(devices[0]?["kept_experts"] == .integer(2))
            #expect(devices[0]?["kept_bytes"] == .integer(700))
            #expect(devices[0]?["disk_bytes"] == .integer(5_000))
            let plan = try #require(status["plan"])
            #expect(plan["source"]?.text == "file" && plan["file"]?.text == "plan.json")
            #expect(plan["since_unix_time"] == .integer(1_700_000_000))
            #expect(plan["under_way"] == .boolean(true))
            #expect(plan["foreseen"]?["round_trips_per_token"]?.double == 2.5)
            #expect(plan["foreseen"]?["frames_per_token"] == nil)
            #expect(plan["changes"]?[0]?["text"]?.text == "4 experts to 1 device")
            // No device computes here, so there are tokens and no round trips.
            #expect(plan["measured"]?["tokens"]?.double ?? 0 >= 8)
            #expect(plan["measured"]?["round_trips_per_token"]?.double == 0)
        }
    }

    /// Copies and what is resident are bits of layer × 3 + expert, the lowest first.
    @Test func copiesAndResidentsAreBits() throws {
        let page = CellStatus.placement(Self.cell.places)
        #expect(page["devices"] == .array(["near", "gone", "far"].map(JSONValue.text)))
        let copies = try #require(page["copies"]?.array.map { $0.text ?? "-" })
        #expect(copies[0].isEmpty && copies[1].isEmpty)
        #expect(Data(base64Encoded: copies[2]) == Data([0b0000_0001, 0b0000_0001]))
        #expect(page["resident"]?.text.flatMap { Data(base64Encoded: $0) } == Data([0b100, 0]))
        #expect(CellStatus.placement(ExpertPlaces())["resident"] == nil)
    }

    /// Shares are of the layer's visits, in parts of the greatest; experts that nobody visited and
    /// layers without experts have none.
    @Test func sharesAreParts() throws {
        let page = CellStatus.popularity([[3, 1], [], [0, 4, 4]], Self.cell.places)
        #expect(page["visits"] == .integer(12) && page["experts"] == .integer(3))
        #expect(page["top_share"]?.double == 0.75)
        let bytes = try #require(page["shares"]?.text.flatMap { Data(base64Encoded: $0) })
        let parts = stride(from: 0, to: bytes.count, by: 2).map {
            Int(bytes[$0]) + 256 * Int(bytes[$0 + 1])
        }
        #expect(parts == [65_535, 21_845, 0, 0, 0, 0, 0, 43_690, 43_690])
        #expect(CellStatus.popularity([], Self.cell.places)["top_share"]?.double == 0)
    }

    /// Every visit of every layer is counted, of prompts too.
    @Test func visitsAreCounted() async throws {
        let server = try TestServer()
        let engine = server.model.engine
        try await server.run { client in
            #expect(engine.expertVisits.isEmpty)
            _ = try await client.post("/v1/completions", Self.prompt)
        }
        let cost = engine.activity.cost
        #expect(engine.expertVisits.joined().reduce(0, +) == cost.pairs)
        let layers = engine.expertVisits.map { $0.reduce(0, +) }
        #expect(layers.count > 1 && layers.allSatisfy { $0 == 2 * cost.tokens })
    }

    /// Visits are told when they have changed, and not at every look.
    @Test func popularityIsToldNowAndThen() async throws {
        var cell = CellSnapshot()
        cell.places.homes = Array(repeating: Array(repeating: nil, count: 8), count: 6)
        let server = try TestServer(cell: cell)
        let monitor = server.monitor
        monitor.look()
        var viewer = try monitor.follow().makeAsyncIterator()
        #expect(await viewer.next()?.map(\.name) == ["placement", "popularity", "status"])
        try await server.run { _ = try await $0.post("/v1/completions", Self.prompt) }
        var told: [Bool] = []
        for _ in 0..<3 * StatusMonitor.popularityLooks {
            monitor.look()
            told.append(await viewer.next()?.contains { $0.name == "popularity" } == true)
        }
        #expect(told.count { $0 } == 1)
        #expect(told[StatusMonitor.popularityLooks - 1])
    }

    /// The largest published models' messages stay small: 58 layers of 256 experts, 16 devices.
    @Test func messagesStaySmall() {
        var places = ExpertPlaces()
        let names = (0..<16).map { "device-\($0)" }
        places.homes = (0..<58).map { layer in (0..<256).map { names[(layer + $0) % 16] } }
        let all = (0..<58).flatMap { layer in
            (0..<256).map { ExpertID(layer: layer, expert: $0) }
        }
        for name in names { places.copies[name] = all }
        places.resident = Set(all)
        let visits = Array(repeating: Array(0..<256), count: 58)
        #expect(CellStatus.placement(places).jsonBytes.count < 96 << 10)
        #expect(CellStatus.popularity(visits, places).jsonBytes.count < 40 << 10)
    }

    /// The pace is over the time since something came; an assignment begins again at 0.
    @Test func shipmentsHaveAPace() {
        var device = CellSnapshot.Device(name: "a")
        (device.assignedBytes, device.readyBytes) = (1_000, 200)
        func pace(_ looks: [Int?]) -> ShippingPace {
            ShippingPace(
                device, looks: looks.enumerated().map { (.milliseconds(500 * $0), $1) })
        }
        #expect(pace([nil, nil]).bytesPerSecond == 0)
        #expect(pace([0]).secondsLeft == nil)
        // Idle, then 100 bytes in each half second.
        #expect(pace([nil, 0, 0, 100, 200]).bytesPerSecond == 200)
        #expect(pace([nil, 0, 0, 100, 200]).secondsLeft == 4)
        #expect(pace([0, 400, 50]).bytesPerSecond == 450)
        #expect(pace([500, 500, 500]).secondsLeft == nil)
        device.readyBytes = 1_000
        #expect(pace([0, 500]).secondsLeft == nil)
        #expect(pace([0, 500]).leftBytes == 0)
    }

    @Test func metricsTellBytesAndRoundTrips() async throws {
        try await TestServer(cell: Self.cell).run { client in
            _ = try await client.post("/v1/completions", Self.prompt)
            let page = try await client.get("/metrics").text
            for line in [
                "martlet_round_trips_total 0",
                "martlet_device_experts_bytes{device=\"near\"} 1000",
                "martlet_device_unshipped_bytes{device=\"near\"} 600",
                "martlet_device_shipped_bytes{device=\"near\"} 300",
                "martlet_device_cached_bytes{device=\"near\"} 100",
                "martlet_device_kept_bytes{device=\"near\"} 700",
            ] { #expect(page.contains("\n\(line)\n"), "\(line)") }
            #expect(!page.contains("unshipped_bytes{device=\"gone\"}"))
        }
    }

    /// Whatever the program looks up is in the page, with a heading for each part, and what is
    /// drawn has words beside it.
    @Test func thePageHasWhatItsProgramNeeds() async throws {
        try await TestServer().run { client in
            try Self.check(
                try await client.get("/").text, try await client.get("/dashboard/app.js").text)
        }
    }

    private static func check(_ page: String, _ program: String) throws {
        let ids = program.matches(of: /(?:byID|setText|setFigure)\("([a-z-]+)"/).map(\.output.1)
        #expect(ids.count > 40)
        for id in ids { #expect(page.contains("id=\"\(id)\""), "\(id)") }
        for title in ["Devices", "Experts", "Cell", "Popularity", "Plan", "Shipments", "Events"] {
            #expect(page.contains(">\(title)</h2>"), "\(title)")
        }
        for drawing in ["id=\"grid\"", "id=\"heat\"", "id=\"map\""] {
            let element = try #require(page.split(separator: "\n").first { $0.contains(drawing) })
            #expect(element.contains("aria-labelledby=") && element.contains("aria-describedby="))
        }
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"] {
            #expect(!program.contains(forbidden), "\(forbidden)")
        }
    }
}
