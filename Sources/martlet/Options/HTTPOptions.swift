import APIServer
import ArgumentParser
import Foundation
import Serving

/// How `serve` answers over HTTP.
struct HTTPOptions: ParsableArguments {
    @Option(name: .customLong("http"), help: "Where clients connect, as HOST:PORT.")
    var address = Endpoint(host: "127.0.0.1", port: 8080)

    @Option(help: "What clients call the model; otherwise its file's name.")
    var name: String?

    @Option(help: "Most requests that advance together.")
    var maxBatch = 64

    @Option(help: "Most requests that wait; further ones are told to come back.")
    var queue = 256

    @Option(help: "Seconds after which an answer ends with what it has.")
    var requestTimeout = 600

    @Option(help: "A file of hashed keys, made with \"martlet keys\"; clients need one of them.")
    var apiKeys: String?

    @Option(help: "A PEM file with the certificate chain; needs --tls-key.")
    var tlsCertificate: String?

    @Option(help: "A PEM file with the certificate's private key.")
    var tlsKey: String?

    @Option(help: "The origin whose pages may call the server from a browser, or *.")
    var corsOrigin: String?

    func validate() throws {
        guard 1...1024 ~= maxBatch else { throw ValidationError("--max-batch takes 1 to 1024") }
        guard 0...100_000 ~= queue else { throw ValidationError("--queue takes 0 to 100000") }
        guard 1...86_400 ~= requestTimeout else {
            throw ValidationError("--request-timeout takes 1 to 86400 seconds")
        }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key need each other")
        }
    }

    /// The server's options; reads the keys.
    ///
    /// - Throws: `CommandError` if others could connect without a key.
    func options(insecure: Bool) throws -> APIServer.Options {
        var options = APIServer.Options()
        (options.host, options.port) = (address.host, address.port)
        options.keys = try apiKeys.map(KeyFile.read)
        if let tlsCertificate, let tlsKey { options.tls = (tlsCertificate, tlsKey) }
        options.corsOrigin = corsOrigin
        guard address.isLoopback || insecure || options.keys != nil else {
            throw CommandError(
                "\(address): others could connect without a key; add --api-keys FILE, or "
                    + "--insecure on a network you trust")
        }
        return options
    }

    /// What the engine takes on.
    var limits: SchedulerState.Limits {
        var limits = SchedulerState.Limits()
        (limits.running, limits.waiting) = (maxBatch, queue)
        return limits
    }
}

/// The file that `--api-keys` names.
enum KeyFile {
    /// - Throws: `CommandError` naming the file and the line.
    static func read(_ path: String) throws -> APIKeys {
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw CommandError("\(path): cannot be read as a file of keys")
        }
        do {
            return try APIKeys(text)
        } catch {
            throw CommandError("\(path): \(error)")
        }
    }
}
