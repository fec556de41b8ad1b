import ArgumentParser
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a running server: devices, tokens per second, latency, events.",
        discussion: """
            The same as the dashboard, in the terminal.

              martlet status --watch
              martlet status --url https://base.local:8443 --api-key-file ~/.martlet-key --json
            """)

    /// Most bytes of an answer.
    private static let byteLimit = 64 << 20

    @Option(help: "Where the server is.")
    var url = "http://127.0.0.1:8080"

    @Option(help: "A file with an API key, for servers that ask for one.")
    var apiKeyFile: String?

    @Flag(help: "Show it again every second until Ctrl-C.")
    var watch = false

    @Flag(help: "Write lines of JSON, as the server sends them.")
    var json = false

    func run() async throws {
        let request = try request()
        guard watch else { return try show(try await fetch(request)) }
        try await Interrupt().race {
            while true {
                do {
                    let answer = try await fetch(request)
                    if !json, isatty(STDOUT_FILENO) == 1 { Output.write("\u{1B}[H\u{1B}[2J") }
                    try show(answer)
                } catch let error as CommandError {
                    Output.note(error.description)
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func request() throws -> URLRequest {
        guard let base = URL(string: url), ["http", "https"].contains(base.scheme), base.host != nil
        else { throw CommandError("--url: \"\(url)\" is not of the form http://HOST:PORT") }
        var request = URLRequest(url: base.appending(path: "dashboard/status"))
        request.timeoutInterval = 10
        if let apiKeyFile {
            guard let key = try? String(contentsOf: URL(filePath: apiKeyFile), encoding: .utf8)
            else { throw CommandError("\(apiKeyFile): cannot be read as a file with a key") }
            let trimmed = key.trimmingCharacters(in: .whitespacesAndNewlines)
            request.setValue("Bearer \(trimmed)", forHTTPHeaderField: "Authorization")
        }
        return request
    }

    private func fetch(_ request: URLRequest) async throws -> Data {
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await URLSession.shared.data(for: request)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw CommandError("\(url): no answer: \(CommandError.reason(error))")
        }
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard status != 401 else {
            throw CommandError("\(url): a key is needed; give its file with --api-key-file")
        }
        guard status == 200, data.count <= Self.byteLimit else {
            throw CommandError("\(url): answered with status \(status); is it a martlet server?")
        }
        return data
    }

    private func show(_ data: Data) throws {
        if json { return Output.line(String(decoding: data, as: UTF8.self)) }
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            Output.line(try decoder.decode(StatusPage.self, from: data).text)
        } catch is DecodingError {
            throw CommandError("\(url): the answer is not a martlet server's status")
        }
    }
}
