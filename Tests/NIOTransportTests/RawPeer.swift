import NIOCore
import NIOPosix
import Synchronization
import Wire

/// A plain TCP peer that knows nothing of martlet: sends bytes and keeps what it gets.
final class RawPeer: Sendable {
    private let channel: any Channel
    private let received: Received

    private init(channel: any Channel, received: Received) {
        self.channel = channel
        self.received = received
    }

    /// Connects, as a stranger would.
    static func connect(port: Int) async throws -> RawPeer {
        let received = Received()
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { $0.pipeline.addHandler(Collector(received)) }
            .connect(host: "127.0.0.1", port: port).get()
        return RawPeer(channel: channel, received: received)
    }

    /// Listens, as another server would: sends `greeting` once it has been sent something, or
    /// closes at once when that is nil and `closes` is set.
    static func listen(answer: [UInt8]?, closes: Bool = false) async throws -> any Channel {
        try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                if closes { return channel.close() }
                return channel.pipeline.addHandler(Collector(Received(), answer: answer))
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// All that the other side sent until it closed.
    func bytesUntilClosed() async throws -> [UInt8] {
        for _ in 0..<60_000 {
            if let bytes = received.all { return bytes }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw Recorder.TimedOut()
    }

    /// The one refusal that the other side sent before it closed.
    func refusal() async throws -> Refusal {
        let bytes = try await bytesUntilClosed()
        var assembler = FrameAssembler(byteLimit: Limits.handshakeFrameBytes)
        let step = try bytes.withUnsafeBytes { try assembler.consume($0) }
        guard let frame = step.frame, step.consumed == bytes.count else {
            throw WireError(.truncated, "\(bytes.count) bytes are not one frame")
        }
        return try Refusal(frame: frame)
    }
}

/// What has arrived; complete once the connection is closed.
private final class Received: Sendable {
    private let state = Mutex((bytes: [UInt8](), isClosed: false))

    var all: [UInt8]? { state.withLock { $0.isClosed ? $0.bytes : nil } }

    func append(_ bytes: [UInt8]) {
        state.withLock { $0.bytes += bytes }
    }

    func close() {
        state.withLock { $0.isClosed = true }
    }
}

private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let received: Received
    private let answer: [UInt8]?

    init(_ received: Received, answer: [UInt8]? = nil) {
        self.received = received
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        received.append(Array(buffer.readableBytesView))
        if let answer {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        received.close()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
