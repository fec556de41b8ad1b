package import SystemModel

/// The first frame of a connection, from the device: who it is and what the connection is for.
///
/// Payload: the bytes "MRTL", u16 protocol version, u8 channel, JSON body. Everything up to the
/// version keeps its place in every future version, so that two versions can tell each other so.
package struct Hello: Equatable, Sendable {
    /// What a connection is for.
    package enum Purpose: Equatable, Sendable {
        /// Control messages and the hop.
        case control(DeviceDescription)
        /// Weights, so that shipping them never delays a token. The token is from `Welcome`.
        case bulk(device: DeviceID, token: SessionToken)
    }

    /// The first bytes of every hello.
    package static let magic = Array("MRTL".utf8)
    /// The version spoken here. Peers must speak the same.
    package static let protocolVersion: UInt16 = 1

    /// What this connection is for.
    package let purpose: Purpose

    /// Introduces a device.
    package init(_ purpose: Purpose) {
        self.purpose = purpose
    }

    /// Reads and validates a hello.
    ///
    /// - Throws: `notMartlet` when the magic bytes are missing, `unsupportedVersion`, or another
    ///   `WireError` that names the field.
    package init(frame: Frame) throws(WireError) {
        guard frame.kind == .hello, frame.payload.starts(with: Self.magic) else {
            throw WireError(.notMartlet, "the connection does not begin with a martlet hello")
        }
        var reader = ByteReader(frame.payload, of: "hello")
        _ = try reader.readBytes(Self.magic.count, "magic")
        let version = try reader.read(UInt16.self, "protocol version")
        guard version == Self.protocolVersion else {
            throw WireError(
                .unsupportedVersion,
                "the peer speaks protocol version \(version), this side \(Self.protocolVersion):"
                    + " install the same martlet on both")
        }
        let channel = try reader.read(UInt8.self, "channel")
        purpose = try Self.purpose(channel: channel, json: reader.readRest())
    }

    /// The hello in a frame.
    ///
    /// - Throws: `WireError` when the description is outside its limits.
    package func frame() throws(WireError) -> Frame {
        let body: [UInt8]
        let channel: UInt8
        switch purpose {
        case .control(let description):
            (channel, body) = (1, try ControlBody(device: description).json())
        case .bulk(let device, let token):
            (channel, body) = (2, try BulkBody(device: device, token: token).json())
        }
        var writer = ByteWriter(count: Self.magic.count + 3 + body.count)
        writer.write(Self.magic)
        writer.write(Self.protocolVersion)
        writer.write(channel)
        writer.write(body)
        return Frame(kind: .hello, payload: writer.finish())
    }

    private static func purpose(channel: UInt8, json: [UInt8]) throws(WireError) -> Purpose {
        switch channel {
        case 1:
            return .control(try ControlBody(json: json).device)
        case 2:
            let body = try BulkBody(json: json)
            return .bulk(device: body.device, token: body.token)
        default:
            throw WireError(.invalid, "hello: channel is \(channel); 1 (control) or 2 (bulk) exist")
        }
    }
}

private struct ControlBody: JSONMessage {
    static let kind = Frame.Kind.hello
    let device: DeviceDescription

    func validate() throws(WireError) {
        try device.validate()
    }
}

private struct BulkBody: JSONMessage {
    static let kind = Frame.Kind.hello
    let device: DeviceID
    let token: SessionToken

    func validate() throws(WireError) {}
}
