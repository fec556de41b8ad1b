import NIOCore
import NIOPosix
import SystemModel

@testable import Cell

/// A server that sends back what it is sent, then ends.
final class EchoServer: Sendable {
    let port: Int
    private let channel: any Channel

    init(_ group: MultiThreadedEventLoopGroup) async throws {
        channel = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func close() async throws { try await channel.close() }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete {
                _ in context.close(mode: .output, promise: nil)
            }
        }
    }
}

/// A client's connection.
func connect(
    _ group: MultiThreadedEventLoopGroup, _ port: Int
) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
    try await ClientBootstrap(group: group)
        .channelOption(.allowRemoteHalfClosure, value: true)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
}

/// Sends all, ends, and returns everything that comes back until the other side ends.
func exchange(
    _ group: MultiThreadedEventLoopGroup, _ port: Int, _ bytes: [UInt8]
) async throws -> [UInt8] {
    try await connect(group, port).executeThenClose { inbound, outbound in
        async let sent: Void = {
            try await outbound.write(ByteBuffer(bytes: bytes))
            outbound.finish()
        }()
        var received: [UInt8] = []
        for try await buffer in inbound { received += buffer.readableBytesView }
        try await sent
        return received
    }
}

/// One question to the control port.
func ask(_ group: MultiThreadedEventLoopGroup, _ port: Int, _ line: String) async throws -> String {
    try await connect(group, port).executeThenClose { inbound, outbound in
        try await outbound.write(ByteBuffer(string: line + "\n"))
        var answer = ""
        for try await buffer in inbound {
            answer += String(buffer: buffer)
            if answer.hasSuffix("\n") { break }
        }
        outbound.finish()
        return answer
    }
}
