import ArgumentParser

/// A host and a port, as "127.0.0.1:7070", "[::1]:7070" or "base.local:7070".
struct Endpoint: ExpressibleByArgument, CustomStringConvertible {
    let host: String
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"),
            let port = Int(argument[argument.index(after: colon)...]), 0...65_535 ~= port
        else { return nil }
        var host = String(argument[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can reach it.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// Refuses to listen where others could connect, unless that is asked for.
    func checkListening(insecure: Bool) throws {
        guard isLoopback || insecure else {
            throw CommandError(
                "\(self): only loopback addresses may be listened on, since connections are not "
                    + "encrypted yet; add --insecure on a network you trust")
        }
    }
}
