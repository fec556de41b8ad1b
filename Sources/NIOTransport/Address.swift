import NIOCore

/// A host and a port, as people write them.
struct Address: CustomStringConvertible, Sendable {
    /// Without the brackets that an IPv6 address may be written in.
    let host: String
    let port: Int

    init(host: String, port: Int) {
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        self.host = isBracketed ? String(host.dropFirst().dropLast()) : host
        self.port = port
    }

    init?(_ address: SocketAddress?) {
        guard let host = address?.ipAddress, let port = address?.port else { return nil }
        self.init(host: host, port: port)
    }

    /// `192.168.1.5:7070`, `[fe80::1]:7070`.
    var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
