/// The unit that travels between base station and device.
///
/// On the wire: u32 little-endian length of what follows, u8 kind, payload.
package struct Frame: Equatable, Sendable {
    /// What a payload is. The raw values are the protocol: never renumber one.
    package enum Kind: UInt8, CaseIterable, Sendable {
        /// Device → base, first on every connection: `Hello`.
        case hello = 1
        /// Base → device, the answer to a hello: `Welcome`.
        case welcome = 2
        /// Base → device before closing: `Refusal`.
        case refusal = 3
        /// Base → device: `Assignment`.
        case assignment = 4
        /// Device → base: `AssignmentProgress`.
        case assignmentProgress = 5
        /// Device → base on the bulk connection: `Fetch`.
        case fetch = 6
        /// Base → device on the bulk connection: `Chunk`.
        case chunk = 7
        /// Base → device: `ExpertBatch`.
        case expertBatch = 8
        /// Device → base: `ExpertResult`.
        case expertResult = 9
        /// Either way: `Heartbeat`, to be answered with a pong of the same sequence number.
        case ping = 10
        /// The answer to a ping.
        case pong = 11
        /// Either way: `Failure`.
        case failure = 12
        /// Either way before closing: `Goodbye`.
        case goodbye = 13
        /// Device → base: `Offer`.
        case offer = 14
    }

    /// Bytes before the payload: length and kind.
    package static let headerBytes = 5

    /// What the payload is.
    package let kind: Kind
    /// The message's bytes, at most `Limits.frameBytes - 1` of them.
    package let payload: [UInt8]

    /// Makes a frame.
    ///
    /// - Precondition: the payload is at most `Limits.frameBytes - 1` bytes. Messages check their
    ///   own size and throw before they get here.
    package init(kind: Kind, payload: [UInt8]) {
        precondition(payload.count < Limits.frameBytes, "a frame's payload must be under the limit")
        self.kind = kind
        self.payload = payload
    }

    /// Bytes on the wire, header included.
    package var byteCount: Int { Frame.headerBytes + payload.count }

    /// The bytes before the payload: the length of kind and payload, and the kind.
    package var header: [UInt8] {
        var writer = ByteWriter(count: Frame.headerBytes)
        writer.write(UInt32(payload.count + 1))
        writer.write(kind.rawValue)
        return writer.finish()
    }

    /// The frame as it stands on the wire. Copies the payload; transports write header and payload
    /// one after the other instead.
    package func serialized() -> [UInt8] { header + payload }
}
