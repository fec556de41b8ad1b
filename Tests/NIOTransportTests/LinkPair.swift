import Synchronization
import SystemModel
import Testing
import Wire

@testable import NIOTransport

/// How far down a test of the link contract goes.
///
/// In process it does not test framing, sockets or what a network does.
enum Depth: CaseIterable, Sendable {
    case inProcess
    case loopback
}

/// Both ends of a link after the handshake, and what each has received since.
struct LinkPair {
    let device: any DeviceLink
    let base: any DeviceLink
    let atDevice: Recorder
    let atBase: Recorder

    /// Connects at `depth`, runs `body`, and closes everything. The two ends of a loopback link
    /// are on two transports, as in two processes.
    static func with(
        _ depth: Depth, _ body: (LinkPair) async throws -> Void
    ) async throws {
        let atDevice = Recorder()
        let atBase = Recorder()
        let accept: LinkAcceptor = { link in
            atBase.accept(link)
            return atBase.handler
        }
        switch depth {
        case .inProcess:
            let device = InProcessLink.connect(handler: atDevice.handler, accept: accept)
            try await run(device, atDevice, atBase, body)
        case .loopback:
            try await withTransports { here, there in
                let listener = try await there.listen(host: "127.0.0.1", port: 0, onAccept: accept)
                let device = try await here.dial(
                    host: "127.0.0.1", port: listener.boundPort, timeout: .seconds(5),
                    handler: atDevice.handler)
                try await run(device, atDevice, atBase, body)
            }
        }
    }

    private static func run(
        _ device: any DeviceLink, _ atDevice: Recorder, _ atBase: Recorder,
        _ body: (LinkPair) async throws -> Void
    ) async throws {
        device.send(try Hello(.control(.example)).frame())
        #expect(try await atBase.next().kind == .hello)
        let base = try #require(atBase.accepted)
        base.send(try Welcome.example.frame())
        #expect(try await atDevice.next().kind == .welcome)
        try await body(LinkPair(device: device, base: base, atDevice: atDevice, atBase: atBase))
        device.close()
    }
}

/// Runs `body` with two transports and shuts them down.
func withTransports(
    timing: TransportTiming = TransportTiming(),
    _ body: (Transport, Transport) async throws -> Void
) async throws {
    let (here, there) = (Transport(timing: timing), Transport(timing: timing))
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(here, there))
    } catch {
        result = .failure(error)
    }
    await here.shutdown()
    await there.shutdown()
    try result.get()
}

/// Keeps what a link delivers, and passes it on.
final class Recorder: Sendable {
    struct TimedOut: Error {}

    private struct State {
        var events: [LinkEvent] = []
        var taken = 0
        var accepted: (any DeviceLink)?
        var isInside = false
        var overlaps = 0
        var reaction: LinkHandler?
        var skipsEvents = false
    }

    private let state = Mutex(State())

    var handler: LinkHandler { { self.receive($0) } }
    var accepted: (any DeviceLink)? { state.withLock { $0.accepted } }
    /// Everything delivered so far.
    var events: [LinkEvent] { state.withLock { $0.events } }
    /// Calls that began before the one before them had ended.
    var overlaps: Int { state.withLock { $0.overlaps } }

    func accept(_ link: any DeviceLink) {
        state.withLock { $0.accepted = link }
    }

    /// Lets go of links and handlers, as an application would after `.closed`.
    func forget() {
        state.withLock {
            $0.accepted = nil
            $0.reaction = nil
        }
    }

    /// Runs `reaction` inside the handler, for every event from now on.
    ///
    /// - Parameter skipsEvents: whether events are no longer kept while it is there.
    func react(skipsEvents: Bool = false, _ reaction: @escaping LinkHandler) {
        state.withLock {
            $0.reaction = reaction
            $0.skipsEvents = skipsEvents
        }
    }

    /// The next event that is a frame.
    func next() async throws -> Frame {
        while true {
            let event = try await nextEvent()
            if case .frame(let frame) = event { return frame }
            Issue.record("a frame was expected, not \(event)")
            throw TimedOut()
        }
    }

    /// The next event is this frame.
    func expect(_ frame: Frame, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let received = try await next()
        #expect(received == frame, sourceLocation: sourceLocation)
    }

    /// The reason of `.closed`; frames before it are skipped.
    func closing() async throws -> String {
        while true {
            if case .closed(let reason) = try await nextEvent() { return reason }
        }
    }

    func nextEvent() async throws -> LinkEvent {
        for _ in 0..<60_000 {
            let event: LinkEvent? = state.withLock { state in
                guard state.taken < state.events.count else { return nil }
                defer { state.taken += 1 }
                return state.events[state.taken]
            }
            if let event { return event }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw TimedOut()
    }

    private func receive(_ event: LinkEvent) {
        let reaction = state.withLock { state in
            state.overlaps += state.isInside ? 1 : 0
            state.isInside = true
            if state.reaction == nil || !state.skipsEvents { state.events.append(event) }
            return state.reaction
        }
        reaction?(event)
        state.withLock { $0.isInside = false }
    }
}

extension DeviceDescription {
    static let example = DeviceDescription(
        name: "attic", memoryBytes: 8 << 30, cores: 4, instructionSet: "avx2",
        memoryGigabytesPerSecond: 31, gigaflopsPerSecond: 200)
}

extension Welcome {
    static var example: Welcome {
        var generator = SystemRandomNumberGenerator()
        return Welcome(
            deviceID: DeviceID(1), sessionToken: .random(using: &generator), activationCodec: .fp32,
            heartbeatMilliseconds: 1000)
    }
}
