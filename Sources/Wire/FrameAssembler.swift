/// Cuts a stream of bytes into frames. Pure: bytes in, frames out, no input or output of its own.
///
/// The payload grows as its bytes arrive, so a peer that announces a large frame and sends nothing
/// costs nothing. Each payload byte is copied once.
package struct FrameAssembler: Sendable {
    /// The largest kind and payload accepted from now on, in bytes (`Limits`).
    package var byteLimit: Int

    private var header: [UInt8] = []
    private var kind: Frame.Kind?
    private var payload: [UInt8] = []
    private var missing = 0

    /// Capacity reserved on the peer's word alone; beyond it, only for bytes that have arrived.
    private static let reservation = 64 << 10

    /// Starts between two frames.
    package init(byteLimit: Int) {
        self.byteLimit = byteLimit
        header.reserveCapacity(Frame.headerBytes)
    }

    /// Takes bytes up to the end of the next frame.
    ///
    /// - Parameter bytes: what arrived and has not been consumed.
    /// - Returns: how many of them were taken, and the frame if that completed one. Call again with
    ///   the rest while there is any.
    /// - Throws: `limitExceeded` for a length over `byteLimit`, `invalid` for a length of 0 or an
    ///   unknown kind. The stream has no frame boundary after that: close it.
    /// - Complexity: O(bytes taken).
    package mutating func consume(
        _ bytes: UnsafeRawBufferPointer
    ) throws(WireError) -> (consumed: Int, frame: Frame?) {
        var consumed = 0
        if kind == nil {
            consumed = min(Frame.headerBytes - header.count, bytes.count)
            header.append(contentsOf: bytes[..<consumed])
            guard header.count == Frame.headerBytes else { return (consumed, nil) }
            try openFrame()
        }
        let taken = min(missing, bytes.count - consumed)
        payload.append(contentsOf: bytes[consumed..<(consumed + taken)])
        missing -= taken
        return (consumed + taken, missing == 0 ? closeFrame() : nil)
    }

    /// Reads the header, all of which is there.
    private mutating func openFrame() throws(WireError) {
        let length = (0..<4).reduce(0) { $0 | Int(header[$1]) << (8 * $1) }
        guard length > 0 else {
            throw WireError(.invalid, "a frame has length 0; it must hold at least its kind")
        }
        guard length <= byteLimit else {
            throw WireError(
                .limitExceeded,
                "a frame announces \(length) bytes; at most \(byteLimit) are accepted here")
        }
        guard let kind = Frame.Kind(rawValue: header[4]) else {
            throw WireError(.invalid, "a frame has kind \(header[4]), which does not exist")
        }
        self.kind = kind
        missing = length - 1
        payload.reserveCapacity(min(missing, Self.reservation))
        header.removeAll(keepingCapacity: true)
    }

    private mutating func closeFrame() -> Frame? {
        guard let kind else { return nil }
        defer {
            self.kind = nil
            payload = []
        }
        return Frame(kind: kind, payload: payload)
    }
}
