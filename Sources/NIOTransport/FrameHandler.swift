import NIOCore
import Wire

/// The receiving half of a TCP connection: frames, handshake, deadlines and closing.
///
/// Everything runs on the channel's thread. The application sees a listener's connection only
/// after a valid hello, and a dialer's first frame only if it is a welcome or a refusal.
final class FrameHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Role {
        case listener(LinkAcceptor, isFull: Bool)
        case dialer
    }

    private enum Phase {
        /// Nothing but the first frame is accepted.
        case handshake
        case open
        /// What still arrives is dropped until the peer has taken our last bytes.
        case closing
    }

    let link: NIOLink

    private let role: Role
    private let timing: TransportTiming
    private var phase = Phase.handshake
    private var assembler = FrameAssembler(byteLimit: Limits.handshakeFrameBytes)
    private var deliver: LinkHandler?
    private var deadline: Scheduled<Void>?

    /// The end of a connection that a device has opened.
    init(
        accepted channel: any Channel, isFull: Bool, timing: TransportTiming,
        accept: @escaping LinkAcceptor
    ) {
        let peer = Address(channel.remoteAddress)?.description ?? "an unknown peer"
        link = NIOLink(channel: channel, peer: peer)
        role = .listener(accept, isFull: isFull)
        self.timing = timing
    }

    /// The end of a connection that we open to `address`.
    init(
        dialled channel: any Channel, address: Address, timing: TransportTiming,
        handler: @escaping LinkHandler
    ) {
        link = NIOLink(channel: channel, peer: address.description)
        role = .dialer
        deliver = handler
        self.timing = timing
    }

    // MARK: Events of the channel

    func channelActive(context: ChannelHandlerContext) {
        // A channel without a socket, or with one that is gone, sends by itself.
        _ = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self, link.open)
        if case .listener(_, isFull: true) = role {
            refuse(Refusal(.busy, "too many connections at this base station"), context)
        } else {
            setDeadline(timing.handshake, context) { $0.handshakeTimedOut($1) }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        do throws(WireError) {
            while buffer.readableBytes > 0, phase != .closing {
                if let frame = try nextFrame(&buffer) {
                    try receive(frame)
                }
            }
        } catch {
            reject(error, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish("\(link.peer) closed the connection" + (phase == .handshake ? handshakeHint : ""))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish("the connection to \(link.peer) was lost: \(TransportError.line(error))")
        context.close(promise: nil)
    }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        switch event as? LinkEnding {
        case .close:
            closeAfterFlushing(context, reason: "closed by this side")
        case .abandon:
            finish("\(link.peer) does not read: \(Limits.outboundBytes) bytes were waiting")
            context.close(promise: nil)
        case nil:
            context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    // MARK: Receiving

    private func nextFrame(_ buffer: inout ByteBuffer) throws(WireError) -> Frame? {
        let step = buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(WireError) in try assembler.consume(bytes) }
        }
        let (consumed, frame) = try step.get()
        buffer.moveReaderIndex(forwardBy: consumed)
        return frame
    }

    private func receive(_ frame: Frame) throws(WireError) {
        if phase == .handshake {
            try shakeHands(frame)
        }
        deliver?(.frame(frame))
    }

    private func shakeHands(_ frame: Frame) throws(WireError) {
        switch role {
        case .listener(let accept, _):
            _ = try Hello(frame: frame)
            deliver = accept(link)
        case .dialer:
            guard frame.kind == .welcome || frame.kind == .refusal else {
                throw WireError(.notMartlet, "it answered with a \(frame.kind) frame")
            }
        }
        phase = .open
        assembler.byteLimit = Limits.frameBytes
        deadline?.cancel()
    }

    /// What arrived cannot be read.
    private func reject(_ error: WireError, _ context: ChannelHandlerContext) {
        switch role {
        case .listener:
            refuse(phase == .handshake ? handshakeRefusal(error) : Refusal(error), context)
        case .dialer:
            finish(
                "\(link.peer) sent what cannot be read: \(error.message)"
                    + (phase == .handshake ? handshakeHint : ""))
            context.close(promise: nil)
        }
    }

    /// A first frame without a readable header comes from another protocol.
    private func handshakeRefusal(_ error: WireError) -> Refusal {
        switch error.code {
        case .limitExceeded, .notMartlet:
            Refusal(
                .notMartlet,
                "this port is for martlet devices and speaks another protocol: \(error.message)")
        default:
            Refusal(error)
        }
    }

    private var handshakeHint: String {
        "; is it a martlet base station's port for devices?"
    }

    private func handshakeTimedOut(_ context: ChannelHandlerContext) {
        switch role {
        case .listener:
            refuse(Refusal(.timedOut, "no martlet hello within \(timing.handshake)"), context)
        case .dialer:
            finish("\(link.peer) did not answer within \(timing.handshake)" + handshakeHint)
            context.close(promise: nil)
        }
    }

    // MARK: Closing

    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        // Before the last frame is written, so that none of another thread's comes after it.
        link.markClosed()
        // A refusal of a cleaned line always encodes.
        if let frame = try? refusal.frame() {
            context.write(wrapOutboundOut(link.serialize(frame)), promise: nil)
        }
        closeAfterFlushing(context, reason: "refused \(link.peer): \(refusal.message)")
    }

    /// Lets what was sent leave, ends our direction, and waits for the peer to end its own: closing
    /// at once while its bytes are unread would reset the connection and lose our last ones.
    private func closeAfterFlushing(_ context: ChannelHandlerContext, reason: String) {
        guard phase != .closing else { return }
        finish(reason)
        setDeadline(timing.closing, context) { $1.close(promise: nil) }
        let flushed = context.eventLoop.makePromise(of: Void.self)
        flushed.futureResult.assumeIsolated().whenSuccess {
            context.close(mode: .output, promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: flushed)
    }

    /// Delivers `.closed`, once, and lets go of the application.
    private func finish(_ reason: String) {
        phase = .closing
        deadline?.cancel()
        link.markClosed()
        let deliver = deliver
        self.deliver = nil
        deliver?(.closed(reason: reason))
    }

    private func setDeadline(
        _ patience: Duration, _ context: ChannelHandlerContext,
        _ action: @escaping (FrameHandler, ChannelHandlerContext) -> Void
    ) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(patience)) {
            action(self, context)
        }
    }
}

@available(*, unavailable)
extension FrameHandler: Sendable {}
