import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One forwarded connection: two channels, and a flow each way between them.
final class Conduit {
    let device: Int
    /// What the dialing side sends, and what it is sent.
    let forth: Flow
    let back: Flow
    var isClosed = false

    init(device: Int, forth: Flow, back: Flow) {
        self.device = device
        self.forth = forth
        self.back = back
        forth.conduit = self
        back.conduit = self
    }

    var flows: [Flow] { [forth, back] }

    func opposite(_ flow: Flow) -> Flow { flow === forth ? back : forth }
}

/// One direction of a connection: bytes that were read and have not arrived yet.
final class Flow {
    let id: Int
    let direction: AirQueue.Direction
    /// The end that reads into this flow, and the one that writes out of it.
    let source = ConduitEnd()
    weak var sink: ConduitEnd?
    /// Nil when it is closed and forgotten.
    weak var conduit: Conduit?
    let device: Int
    /// In the order of reading; their readable bytes are in the air queue or in `line`.
    var buffers = CircularBuffer<ByteBuffer>()
    var line = DelayLine()
    /// Bytes read and not yet taken by the sink's kernel.
    var held = 0
    /// On top of the link's delay, for the present burst.
    var jitter = Duration.zero
    /// The peer sends no more.
    var hasEnded = false
    private var endIsTold = false
    private static let smallRead = 16 << 10

    init(id: Int, device: Int, direction: AirQueue.Direction) {
        self.id = id
        self.device = device
        self.direction = direction
    }

    var isOpen: Bool { conduit.map { !$0.isClosed } ?? false }

    /// Keeps what was read. Small reads are packed: each would hold the room of a large one.
    func append(_ buffer: ByteBuffer) {
        held += buffer.readableBytes
        guard buffer.readableBytes < Self.smallRead else { return buffers.append(buffer) }
        // The first buffer may be shared with what is being written.
        if buffers.count > 1, let last = buffers.last, last.readableBytes < Self.smallRead {
            buffers[buffers.index(before: buffers.endIndex)].writeImmutableBuffer(buffer)
        } else {
            var packed = ByteBufferAllocator().buffer(capacity: buffer.readableBytes)
            packed.writeImmutableBuffer(buffer)
            buffers.append(packed)
        }
    }

    /// Whether everything that was sent has arrived, the end included.
    var isDone: Bool { endIsTold }

    /// Writes what has arrived by `now`; after the last of it, the end.
    ///
    /// - Parameters:
    ///   - late: told of each packet how late it is.
    ///   - written: called with the bytes that the sink's kernel took, or nil if it
    ///     failed.
    func release(
        until now: Duration, late: (Duration) -> Void, written: @escaping (Int?) -> Void
    ) {
        var bytes = line.release(until: now, late: late)
        while bytes > 0, let first = buffers.first {
            let count = min(bytes, first.readableBytes)
            bytes -= count
            if count == first.readableBytes {
                sink?.write(buffers.removeFirst(), written)
            } else if let slice = buffers[buffers.startIndex].readSlice(length: count) {
                sink?.write(slice, written)
            }
        }
        sink?.flush()
    }

    /// Tells the sink that there is no more, once everything has arrived.
    func finishIfDone() {
        guard hasEnded, !endIsTold, held == 0, buffers.isEmpty else { return }
        endIsTold = true
        sink?.closeOutput()
    }
}

/// The channel handler at one end of a conduit: reads only while its flow has room.
final class ConduitEnd: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What happens at this end; set before the handler joins a channel.
    var onBytes: (ByteBuffer) -> Void = { _ in }
    var onEnd: () -> Void = {}
    /// The channel is closed, in order or after an error.
    var onClose: (_ isBroken: Bool) -> Void = { _ in }

    private var context: ChannelHandlerContext?
    /// From the beginning: nothing is read before there is somewhere to send it.
    private var isPaused = true
    private var wantsRead = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) {
        if isPaused { wantsRead = true } else { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        onBytes(unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { onEnd() }
    }

    func channelInactive(context: ChannelHandlerContext) { onClose(false) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { onClose(true) }

    func pause() { isPaused = true }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        guard wantsRead else { return }
        wantsRead = false
        context?.read()
    }

    /// Hands bytes to the channel; `written` is told how many its kernel took, or nil.
    func write(_ buffer: ByteBuffer, _ written: @escaping (Int?) -> Void) {
        guard let context else { return written(nil) }
        let count = buffer.readableBytes
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            if case .success = result { written(count) } else { written(nil) }
        }
        context.write(wrapOutboundOut(buffer), promise: promise)
    }

    func flush() { context?.flush() }

    func closeOutput() { context?.close(mode: .output, promise: nil) }

    /// Closes the channel; with `resets`, the peer sees a reset and not an end.
    func close(resets: Bool) {
        guard let channel = context?.channel else { return }
        if resets {
            let provider = channel as? any SocketOptionProvider
            // A socket that cannot be told is closed already, or closes in the ordinary way.
            _ = provider?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        channel.close(promise: nil)
    }
}

@available(*, unavailable)
extension Conduit: Sendable {}
@available(*, unavailable)
extension Flow: Sendable {}
@available(*, unavailable)
extension ConduitEnd: Sendable {}
