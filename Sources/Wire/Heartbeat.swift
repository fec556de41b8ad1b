/// Either way: "are you there?" and its answer. Payload: u64 sequence number.
package struct Heartbeat: Equatable, Sendable {
    /// Whether it answers a ping.
    package let isReply: Bool
    /// Chosen by who pings; the reply repeats it.
    package let sequence: UInt64

    /// Asks for a sign of life.
    package init(ping sequence: UInt64) {
        isReply = false
        self.sequence = sequence
    }

    /// The answer to this ping.
    package var reply: Heartbeat { Heartbeat(isReply: true, sequence: sequence) }

    private init(isReply: Bool, sequence: UInt64) {
        self.isReply = isReply
        self.sequence = sequence
    }

    /// Reads a ping or a pong.
    ///
    /// - Throws: `WireError` when the frame is neither, or not 8 bytes.
    package init(frame: Frame) throws(WireError) {
        guard frame.kind == .ping || frame.kind == .pong else {
            throw WireError(.invalid, "a ping or pong frame was expected, not \(frame.kind)")
        }
        var reader = ByteReader(frame.payload, of: "heartbeat")
        isReply = frame.kind == .pong
        sequence = try reader.read(UInt64.self, "sequence")
        try reader.requireRemaining(0)
    }

    /// The heartbeat in a frame.
    package func frame() -> Frame {
        var writer = ByteWriter(count: 8)
        writer.write(sequence)
        return Frame(kind: isReply ? .pong : .ping, payload: writer.finish())
    }
}
