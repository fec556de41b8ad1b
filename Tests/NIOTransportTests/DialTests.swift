import NIOCore
import Testing
import Wire

@testable import NIOTransport

/// Pinned: what a device's user is told when the address is wrong, and the forms of an address.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct DialTests {
    @Test(arguments: ["127.0.0.1", "localhost", "::1", "[::1]"])
    func addressesAndNamesWork(host: String) async throws {
        try await withTransports { here, there in
            let atBase = Recorder()
            let listener = try await there.listen(host: host, port: 0) { link in
                atBase.accept(link)
                return atBase.handler
            }
            let device = try await here.dial(
                host: host, port: listener.boundPort, timeout: .seconds(5), handler: { _ in })
            #expect(device.peer.hasSuffix(":\(listener.boundPort)"))
            device.send(try Hello(.control(.example)).frame())
            #expect(try await atBase.next().kind == .hello)
            atBase.forget()
        }
    }

    @Test
    func aPortInUseIsReported() async throws {
        try await withTransports { here, there in
            let accept: LinkAcceptor = { _ in { _ in } }
            let listener = try await there.listen(host: "127.0.0.1", port: 0, onAccept: accept)
            let port = listener.boundPort
            let error = await #expect(throws: TransportError.self) {
                try await here.listen(host: "127.0.0.1", port: port, onAccept: accept)
            }
            #expect(error?.code == .addressInUse)
            #expect(error?.message.hasPrefix("127.0.0.1:\(port) is in use") == true)
            await listener.close()
            let again = try await here.listen(host: "127.0.0.1", port: port, onAccept: accept)
            #expect(again.boundPort == port)
        }
    }

    @Test
    func anAddressOfAnotherMachineIsReported() async throws {
        try await withTransports { here, _ in
            let error = await #expect(throws: TransportError.self) {
                try await here.listen(host: "192.0.2.1", port: 0) { _ in { _ in } }
            }
            #expect(error?.code == .addressNotAvailable)
        }
    }

    @Test
    func nobodyListening() async throws {
        try await withTransports { here, there in
            let listener = try await there.listen(host: "127.0.0.1", port: 0) { _ in { _ in } }
            let port = listener.boundPort
            await listener.close()
            let error = await Self.dialError(here, "127.0.0.1", port)
            #expect(error?.code == .refused)
            #expect(error?.message.contains("127.0.0.1:\(port)") == true)
        }
    }

    @Test
    func anUnknownHostAndAnImpossiblePort() async throws {
        try await withTransports { here, _ in
            #expect(await Self.dialError(here, "no-such-host.invalid", 7070)?.code == .unknownHost)
            #expect(await Self.dialError(here, "127.0.0.1", 0)?.code == .addressNotAvailable)
            #expect(await Self.dialError(here, "127.0.0.1", 65_536)?.code == .addressNotAvailable)
        }
    }

    @Test(
        arguments: [
            (Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), false, "cannot be read"),
            (Heartbeat(ping: 1).frame().serialized(), false, "answered with a ping frame"),
            (nil, false, "did not answer within"),
            (nil, true, ""),
        ] as [([UInt8]?, Bool, String)])
    func anotherServerIsRecognised(
        answer: [UInt8]?, closes: Bool, expected: String
    ) async throws {
        let server = try await RawPeer.listen(answer: answer, closes: closes)
        let port = try #require(server.localAddress?.port)
        let timing = TransportTiming(handshake: .milliseconds(300), closing: .milliseconds(300))
        try await withTransports(timing: timing) { here, _ in
            let recorder = Recorder()
            let device = try await here.dial(
                host: "127.0.0.1", port: port, timeout: .seconds(5), handler: recorder.handler)
            device.send(try Hello(.control(.example)).frame())
            let reason = try await recorder.closing()
            #expect(reason.contains("127.0.0.1:\(port)") && reason.contains(expected))
            #expect(closes || reason.contains("is it a martlet base station"))
            #expect(recorder.events.count == 1)
        }
        try await server.close()
    }

    @Test
    func aLostConnectionIsReported() async throws {
        try await LinkPair.with(.loopback) { pair in
            pair.base.close()
            let reason = try await pair.atDevice.closing()
            #expect(reason == "\(pair.device.peer) closed the connection")
        }
    }

    @Test
    func shuttingDownClosesLinks() async throws {
        let recorder = Recorder()
        try await withTransports { here, there in
            let listener = try await there.listen(host: "127.0.0.1", port: 0) { _ in { _ in } }
            let device = try await here.dial(
                host: "127.0.0.1", port: listener.boundPort, timeout: .seconds(5),
                handler: recorder.handler)
            device.send(try Hello(.control(.example)).frame())
        }
        _ = try await recorder.closing()
        #expect(recorder.events.count == 1)
    }

    private static func dialError(
        _ transport: Transport, _ host: String, _ port: Int
    ) async -> TransportError? {
        await #expect(throws: TransportError.self) {
            try await transport.dial(
                host: host, port: port, timeout: .seconds(2), handler: { _ in })
        }
    }
}
