import NIOCore
import NIOPosix
import NIOTransport
import TestSupport
import Testing

/// One line out, one line back.
struct LineClientTests {
    /// Answers every line with what `reply` makes of it, in pieces of three bytes.
    private final class Replier: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let reply: @Sendable (String) -> String?
        private var text = ""

        init(_ reply: @escaping @Sendable (String) -> String?) { self.reply = reply }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            guard text.hasSuffix("\n") else { return }
            guard let answer = reply(String(text.dropLast())) else {
                return context.close(promise: nil)
            }
            var rest = Array(answer.utf8)
            while !rest.isEmpty {
                let piece = rest.prefix(3)
                rest.removeFirst(piece.count)
                context.writeAndFlush(
                    wrapOutboundOut(ByteBuffer(bytes: piece)), promise: nil)
            }
        }
    }

    private func with(
        _ reply: @escaping @Sendable (String) -> String?,
        _ body: (Transport, Int) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await ServerBootstrap(group: group).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Replier(reply))
            }
        }.bind(host: "127.0.0.1", port: 0).get()
        let transport = Transport()
        try await body(transport, server.localAddress?.port ?? 0)
        await transport.shutdown()
        try await server.close()
        try await group.shutdownGracefully()
    }

    @Test func aLineIsAnswered() async throws {
        try await with({ "you said \($0)\nand more" }) { transport, port in
            let answer = try await transport.ask(
                host: "127.0.0.1", port: port, line: "hello", timeout: .seconds(60))
            #expect(answer == "you said hello")
        }
    }

    @Test func aPeerThatClosesOrSaysNothingIsAnError() async throws {
        try await with({ $0 == "close" ? nil : "no end of line" }) { transport, port in
            for (line, timeout) in [("close", Duration.seconds(60)), ("wait", .milliseconds(50))] {
                await #expect(throws: TransportError.self) {
                    try await transport.ask(
                        host: "127.0.0.1", port: port, line: line, timeout: timeout)
                }
            }
        }
    }
}
