import NIOCore
import Synchronization
import Wire

/// The sending half of a TCP connection; `FrameHandler` is the receiving one.
final class NIOLink: DeviceLink {
    let peer: String

    private let channel: any Channel
    private let waitingBytes = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)

    init(channel: any Channel, peer: String) {
        self.channel = channel
        self.peer = peer
    }

    func send(_ frame: Frame) {
        guard !isClosed.load(ordering: .acquiring) else { return }
        let byteCount = frame.byteCount
        let waiting = waitingBytes.add(byteCount, ordering: .relaxed).newValue
        guard waiting <= Limits.outboundBytes else {
            request(.abandon)
            return
        }
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in
            self.waitingBytes.subtract(byteCount, ordering: .relaxed)
        }
        channel.writeAndFlush(serialize(frame), promise: written)
    }

    func close() {
        request(.close)
    }

    /// The channel is gone or going: nothing may be asked of its thread any more.
    func markClosed() {
        isClosed.store(true, ordering: .releasing)
    }

    /// Header and payload in one buffer, so that they leave in one segment.
    func serialize(_ frame: Frame) -> ByteBuffer {
        var buffer = channel.allocator.buffer(capacity: frame.byteCount)
        buffer.writeInteger(frame.lengthField, endianness: .little)
        buffer.writeInteger(frame.kind.rawValue)
        buffer.writeBytes(frame.payload)
        return buffer
    }

    /// Asks the handler to end the link, after what was sent before. Never at once, even on the
    /// channel's own thread: the caller may be inside the link handler.
    private func request(_ ending: LinkEnding) {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
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
