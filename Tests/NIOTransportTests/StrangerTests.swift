import SystemModel
import Testing
import Wire

@testable import NIOTransport

/// Pinned: whatever connects to the listener, it is told what is wrong, it is closed, it never
/// reaches the application, and a genuine device is served afterwards.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct StrangerTests {
    struct Stranger: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let code: Refusal.Code
        var testDescription: String { name }
    }

    static let strangers: [Stranger] = [
        Stranger(
            name: "an HTTP request", bytes: Array("GET / HTTP/1.1\r\nHost: base\r\n\r\n".utf8),
            code: .notMartlet),
        Stranger(
            name: "a long HTTP request",
            bytes: Array("POST / HTTP/1.1\r\n\r\n".utf8) + [UInt8](repeating: 65, count: 3 << 20),
            code: .notMartlet),
        Stranger(
            name: "an absurd length", bytes: [255, 255, 255, 255, 1], code: .notMartlet),
        Stranger(
            name: "a length over the handshake's limit", bytes: [1, 0, 1, 0, 1], code: .notMartlet),
        Stranger(name: "a length of zero", bytes: [0, 0, 0, 0, 1], code: .invalid),
        Stranger(name: "an unknown kind", bytes: [1, 0, 0, 0, 99], code: .invalid),
        Stranger(
            name: "another first frame", bytes: Heartbeat(ping: 1).frame().serialized(),
            code: .notMartlet),
        Stranger(
            name: "a hello without magic",
            bytes: Frame(kind: .hello, payload: Array("MRTX".utf8) + [1, 0, 1]).serialized(),
            code: .notMartlet),
        Stranger(
            name: "another version",
            bytes: Frame(kind: .hello, payload: Hello.magic + [2, 0, 1, 123, 125]).serialized(),
            code: .unsupportedVersion),
        Stranger(
            name: "a hello that ends early",
            bytes: Frame(kind: .hello, payload: Hello.magic + [1]).serialized(), code: .invalid),
        Stranger(
            name: "a hello with other JSON",
            bytes: Frame(kind: .hello, payload: Hello.magic + [1, 0, 1] + Array("[]".utf8))
                .serialized(),
            code: .invalid),
        Stranger(name: "silence", bytes: [], code: .timedOut),
        Stranger(name: "half a hello", bytes: [200, 0, 0, 0, 1, 77, 82], code: .timedOut),
    ]

    @Test(arguments: strangers)
    func aStrangerIsRefusedAndADeviceServed(_ stranger: Stranger) async throws {
        try await Self.withListener { listener, atBase, transport in
            let peer = try await RawPeer.connect(port: listener.boundPort)
            peer.send(stranger.bytes)
            let refusal = try await peer.refusal()
            #expect(refusal.code == stranger.code)
            #expect(!refusal.message.isEmpty && !refusal.message.contains("\n"))
            #expect(atBase.events.isEmpty)
            try await Self.expectService(listener, atBase, transport)
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomBytesAreRefused(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let bytes = (0..<Int.random(in: 5...100_000, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        try await Self.withListener { listener, atBase, transport in
            let peer = try await RawPeer.connect(port: listener.boundPort)
            peer.send(bytes)
            let code = try await peer.refusal().code
            #expect([.notMartlet, .invalid, .timedOut].contains(code), "seed \(seed)")
            #expect(atBase.events.isEmpty, "seed \(seed)")
            try await Self.expectService(listener, atBase, transport)
        }
    }

    @Test
    func garbageAfterTheHelloIsRefusedAndReported() async throws {
        try await Self.withListener { listener, atBase, transport in
            let peer = try await RawPeer.connect(port: listener.boundPort)
            peer.send(try Hello(.control(.example)).frame().serialized())
            _ = try await atBase.next()
            peer.send([0, 0, 0, 255, 9])
            #expect(try await peer.refusal().code == .invalid)
            #expect(try await atBase.closing().contains("announces"))
        }
    }

    @Test
    func aHelloMayArriveByteByByte() async throws {
        try await Self.withListener { listener, atBase, transport in
            let peer = try await RawPeer.connect(port: listener.boundPort)
            let frame = try Hello(.control(.example)).frame()
            for byte in frame.serialized() {
                peer.send([byte])
            }
            try await atBase.expect(frame)
        }
    }

    @Test
    func aConnectionOverTheLimitIsRefusedAsBusy() async throws {
        try await Self.withListener(connectionLimit: 1) { listener, atBase, transport in
            let first = try await RawPeer.connect(port: listener.boundPort)
            first.send(try Hello(.control(.example)).frame().serialized())
            _ = try await atBase.next()
            let second = try await RawPeer.connect(port: listener.boundPort)
            #expect(try await second.refusal().code == .busy)
            atBase.accepted?.close()
            _ = try await first.bytesUntilClosed()
            try await Self.expectService(listener, atBase, transport)
        }
    }

    /// A genuine device is accepted and can talk.
    private static func expectService(
        _ listener: DeviceListener, _ atBase: Recorder, _ transport: Transport
    ) async throws {
        let atDevice = Recorder()
        let device = try await transport.dial(
            host: "127.0.0.1", port: listener.boundPort, timeout: .seconds(5),
            handler: atDevice.handler)
        device.send(try Hello(.control(.example)).frame())
        while try await atBase.nextEvent() != .frame(Hello(.control(.example)).frame()) {}
        atBase.accepted?.send(try Welcome.example.frame())
        #expect(try await atDevice.next().kind == .welcome)
        device.close()
    }

    private static func withListener(
        connectionLimit: Int = Limits.connections,
        _ body: (DeviceListener, Recorder, Transport) async throws -> Void
    ) async throws {
        // Long enough for a genuine hello while all processors are busy with other tests.
        let timing = TransportTiming(handshake: .seconds(5), closing: .milliseconds(300))
        try await withTransports(timing: timing) { here, there in
            let atBase = Recorder()
            let listener = try await there.listen(
                host: "127.0.0.1", port: 0, connectionLimit: connectionLimit
            ) { link in
                atBase.accept(link)
                return atBase.handler
            }
            try await body(listener, atBase, here)
            atBase.forget()
        }
    }
}
