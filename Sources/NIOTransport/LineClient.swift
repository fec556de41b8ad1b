import NIOCore
import NIOPosix

extension Transport {
    /// Most bytes of an answer.
    private static let answerLimit = 1 << 20

    /// Sends one line over a connection of its own and returns the line that answers it: how a
    /// cell's control port is spoken to.
    ///
    /// - Throws: `TransportError` when nobody is there, or no whole line comes in time.
    package func ask(
        host: String, port: Int, line: String, timeout: Duration
    ) async throws(TransportError) -> String {
        let address = Address(host: host, port: port)
        let answer = group.any().makePromise(of: String.self)
        let limit = Self.answerLimit
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(timeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        LineHandler(limit: limit, answer: answer))
                }
            }
        do {
            let channel: any Channel
            do {
                channel = try await bootstrap.connect(host: host, port: port).get()
            } catch {
                answer.fail(error)
                throw error
            }
            channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
                channel.close(promise: nil)
            }
            try await channel.writeAndFlush(ByteBuffer(string: line + "\n"))
            let text = try await answer.futureResult.get()
            channel.close(promise: nil)
            return text
        } catch {
            throw TransportError(dialling: address.description, error)
        }
    }
}

/// Collects what comes until the first line is whole.
private final class LineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let limit: Int
    private let answer: EventLoopPromise<String>
    private var bytes: [UInt8] = []

    init(limit: Int, answer: EventLoopPromise<String>) {
        self.limit = limit
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += unwrapInboundIn(data).readableBytesView
        if let end = bytes.firstIndex(of: 10) {
            answer.succeed(String(decoding: bytes[..<end], as: UTF8.self))
            context.close(promise: nil)
        } else if bytes.count > limit {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(ChannelError.eof)
    }
}
