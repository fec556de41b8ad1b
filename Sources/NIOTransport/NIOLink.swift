import NIOCore
import Synchronization
import Wire

/// The sending half of a TCP connection; `FrameHandler` is the receiving one.
///
/// A frame is written on the calling thread as long as the system takes all of it; what it does not
/// take waits in the channel, and so do the frames after it.
final class NIOLink: DeviceLink {
    private struct Sending: ~Copyable {
        /// Nothing is sent any more.
        var isClosed = false
        /// Nil before the connection is there, after it is gone, and where it cannot be had.
        var writer: DirectWriter?
    }

    let peer: String

    private let channel: any Channel
    private let sending = Mutex(Sending())
    /// What the channel has and the system has not taken yet. The channel's thread subtracts from
    /// it without the lock, which a thread in the background may hold.
    private let waitingBytes = Atomic<Int>(0)

    init(channel: any Channel, peer: String) {
        self.channel = channel
        self.peer = peer
    }

    func send(_ frame: Frame) {
        let isTooMuch = sending.withLock { sending in
            guard !sending.isClosed else { return false }
            let isFree = waitingBytes.load(ordering: .acquiring) == 0
            let taken = isFree ? sending.writer?.write(frame) ?? 0 : 0
            let left = frame.byteCount - taken
            guard left > 0 else { return false }
            let waiting = waitingBytes.add(left, ordering: .relaxed).newValue
            guard waiting <= Limits.outboundBytes else { return true }
            var buffer = serialize(frame)
            buffer.moveReaderIndex(forwardBy: taken)
            hand(buffer)
            return false
        }
        if isTooMuch { request(.abandon) }
    }

    func close() {
        request(.close)
    }

    /// The connection is there.
    ///
    /// - Parameter socket: the channel's descriptor.
    func open(socket: CInt) {
        sending.withLock { sending in
            if !sending.isClosed { sending.writer = DirectWriter(of: socket) }
        }
    }

    /// The channel is gone or going: nothing may be asked of its thread any more.
    func markClosed() {
        sending.withLock { sending in
            sending.isClosed = true
            sending.writer = nil
        }
    }

    /// Header and payload in one buffer, so that they leave in one segment.
    func serialize(_ frame: Frame) -> ByteBuffer {
        var buffer = channel.allocator.buffer(capacity: frame.byteCount)
        buffer.writeBytes(frame.header)
        buffer.writeBytes(frame.payload)
        return buffer
    }

    /// Gives bytes to the channel, after those before them. Never at once, even on the channel's
    /// own thread: the channel may be lost by it, and the caller has the lock that closing takes.
    private func hand(_ buffer: ByteBuffer) {
        channel.eventLoop.execute { [self] in
            let written = channel.eventLoop.makePromise(of: Void.self)
            written.futureResult.whenComplete { [self] _ in
                waitingBytes.subtract(buffer.readableBytes, ordering: .releasing)
            }
            channel.writeAndFlush(buffer, promise: written)
        }
    }

    /// Asks the handler to end the link, after what was sent before. Never at once, even on the
    /// channel's own thread: the caller may be inside the link handler.
    private func request(_ ending: LinkEnding) {
        let isFirst = sending.withLock { sending in
            defer { sending.isClosed = true }
            return !sending.isClosed
        }
        guard isFirst else { return }
        channel.eventLoop.execute { [channel] in
            channel.triggerUserOutboundEvent(ending, promise: nil)
        }
    }
}

/// How this side ends a link.
enum LinkEnding: Sendable {
    /// After what was sent has left.
    case close
    /// At once: the peer does not read.
    case abandon
}
