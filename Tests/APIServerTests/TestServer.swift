import ChatTemplates
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import MoEModel
import ModelFiles
import NIOCore
import OrderedJSON
import Serving
import SystemModel
import TestSupport
import Testing
import Tokenizers

@testable import APIServer

/// A server of the shipped model on a port of its own.
struct TestServer {
    let model: ServedModel
    let pool: KeyValuePool
    let thread = InferenceThread()
    let monitor: StatusMonitor
    private let router: Hummingbird.Router<APIContext>

    init(
        waiting: Int = 64, callFormat: ToolCallFormat? = .hermes,
        options: APIServer.Options = APIServer.Options(), isReady: Bool = true,
        cell: CellSnapshot = CellSnapshot()
    ) throws {
        let file = try ModelFile.open(Fixtures.demoModel)
        let opened = try Model(file)
        let tokenizer = try file.makeTokenizer()
        var limits = SchedulerState.Limits()
        limits.waiting = waiting
        pool = KeyValuePool(opened.transformer)
        let engine = BatchEngine(
            transformer: opened.transformer, selector: opened.selector,
            executor: LocalExperts(layers: opened.experts), tokenizer: tokenizer, pool: pool,
            limits: limits, thread: thread, clock: ManualClock())
        model = ServedModel(
            name: "demo", tokenizer: tokenizer, engine: engine,
            vocabulary: opened.configuration.vocabulary, turnEnds: tokenizer.endOfTextIDs,
            callFormat: callFormat,
            timeLimit: .seconds(600),
            chatPrompt: { context in
                var text = ""
                guard case .array(let messages) = context["messages"] else { return [] }
                for case .object(let message) in messages {
                    if case .string(let content) = message["content"] { text += content }
                }
                return tokenizer.encode(text)
            },
            unixTime: { 1_700_000_000 }, randomNumber: { 42 })
        var options = options
        if options.logger.label == "martlet" {
            options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        }
        let server = APIServer(
            model, options, clock: ManualClock(), cell: { cell }, isReady: { isReady })
        router = server.router()
        monitor = server.monitor
    }

    func run(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws
    {
        try await Application(router: router).test(.ahc(.http)) { try await body($0) }
    }
}

/// An answer of the server.
struct Reply: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    init(_ response: TestResponse) {
        status = response.status.code
        headers = response.headers
        text = String(buffer: response.body)
    }

    var json: JSONValue {
        get throws {
            try JSONValue(
                json: Array(text.utf8),
                rules: JSONRules(byteCount: 8 << 20, depth: 64, valueCount: 1 << 20))
        }
    }

    /// The chunks of a stream of server-sent events, which has to end as OpenAI's do.
    var chunks: [JSONValue] {
        get throws {
            let events = text.components(separatedBy: "\n\n")
            #expect(events.suffix(2) == ["data: [DONE]", ""])
            return try events.dropLast(2).map { event in
                try #require(event.hasPrefix("data: "))
                return try JSONValue(
                    json: Array(event.utf8.dropFirst(6)),
                    rules: JSONRules(byteCount: 8 << 20, depth: 64, valueCount: 1 << 20))
            }
        }
    }
}

extension TestClientProtocol {
    func get(_ path: String, headers: HTTPFields = [:]) async throws -> Reply {
        Reply(try await executeRequest(uri: path, method: .get, headers: headers, body: nil))
    }

    func post(_ path: String, _ body: String, headers: HTTPFields = [:]) async throws -> Reply {
        Reply(
            try await executeRequest(
                uri: path, method: .post, headers: headers, body: ByteBuffer(string: body)))
    }
}

extension JSONValue {
    /// An element of an array.
    subscript(index: Int) -> JSONValue? {
        guard case .array(let values) = self, values.indices.contains(index) else { return nil }
        return values[index]
    }

    var array: [JSONValue] {
        guard case .array(let values) = self else { return [] }
        return values
    }

    var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }
}
