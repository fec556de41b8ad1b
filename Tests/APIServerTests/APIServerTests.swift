import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MoEModel
import OrderedJSON
import Serving
import SystemModel
import Testing
import Tokenizers

@testable import APIServer

@Suite(.timeLimit(.minutes(5))) struct APIServerTests {
    private static let greedy = #""prompt": "Once upon a time", "temperature": 0, "max_tokens": 8"#

    /// A stream, joined, is the whole answer; its chunks have OpenAI's shapes.
    @Test func streamsAreTheWholeAnswer() async throws {
        try await TestServer().run { client in
            let whole = try await client.post("/v1/completions", "{\(Self.greedy)}").json
            let text = whole["choices"]?[0]?["text"]?.text
            #expect(whole["object"]?.text == "text_completion")
            #expect(whole["choices"]?[0]?["finish_reason"]?.text == "length")
            #expect(whole["usage"]?["completion_tokens"] == .integer(8))
            #expect(whole["usage"]?["martlet"]?["pairs"]?.double ?? 0 > 0)
            let stream = try await client.post(
                "/v1/completions",
                "{\(Self.greedy), \"stream\": true, \"stream_options\": {\"include_usage\": true}}")
            #expect(stream.headers[.contentType]?.hasPrefix("text/event-stream") == true)
            let chunks = try stream.chunks
            let pieces = chunks.compactMap { $0["choices"]?[0]?["text"]?.text }
            #expect(pieces.joined() == text)
            #expect(chunks.last?["choices"] == .array([]))
            #expect(chunks.last?["usage"]?["completion_tokens"] == .integer(8))
            #expect(chunks.dropLast().last?["choices"]?[0]?["finish_reason"]?.text == "length")
        }
    }

    @Test func conversationsAnswer() async throws {
        let messages = #""messages": [{"role": "user", "content": "Once upon a time"}]"#
        try await TestServer().run { client in
            let body = "{\(messages), \"temperature\": 0, \"max_tokens\": 6"
            let whole = try await client.post(
                "/v1/chat/completions", body + #", "logprobs": true, "top_logprobs": 2}"#
            ).json
            let choice = try #require(whole["choices"]?[0])
            #expect(whole["object"]?.text == "chat.completion")
            #expect(choice["message"]?["role"]?.text == "assistant")
            let scores = choice["logprobs"]?["content"]?.array ?? []
            #expect(scores.count == 6)
            #expect(scores.allSatisfy { $0["top_logprobs"]?.array.count == 2 })
            // Greedy: what was drawn is the likeliest.
            #expect(scores.allSatisfy { $0["top_logprobs"]?[0]?["logprob"] == $0["logprob"] })
            let chunks = try await client.post(
                "/v1/chat/completions", body + #", "stream": true, "n": 2}"#
            ).chunks
            #expect(chunks.allSatisfy { $0["object"]?.text == "chat.completion.chunk" })
            #expect(chunks[0]["choices"]?[0]?["delta"]?["role"]?.text == "assistant")
            for index in 0..<2 {
                let mine = chunks.filter { $0["choices"]?[0]?["index"] == .integer(index) }
                let text = mine.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.text }
                #expect(text.joined() == choice["message"]?["content"]?.text)
                #expect(mine.last?["choices"]?[0]?["finish_reason"]?.text == "length")
            }
        }
    }

    /// What an evaluation harness does: scores of given ids, and the same from `/v1/next`.
    @Test func echoScoresThePrompt() async throws {
        try await TestServer().run { client in
            let reply = try await client.post("/tokenize", #"{"prompt": "Once upon a time"}"#).json
            let ids = (reply["tokens"]?.array ?? []).compactMap { $0.double.map { Int($0) } }
            #expect(ids.count > 2)
            let scored = try await client.post(
                "/v1/completions",
                #"{"prompt": [\#(ids)], "max_tokens": 1, "logprobs": 1, "echo": true, "#
                    + #""temperature": 0}"#
            ).json
            let logprobs = try #require(scored["choices"]?[0]?["logprobs"])
            #expect(logprobs["tokens"]?.array.count == ids.count + 1)
            #expect(logprobs["token_logprobs"]?[0] == .null)
            #expect(logprobs["text_offset"]?[0] == .integer(0))
            for position in 1..<ids.count {
                let next = try await client.post(
                    "/v1/next", "{\"tokens\": \(Array(ids[..<position]))}"
                ).json
                let all = (next["logprobs"]?.array ?? []).compactMap(\.double)
                let given = try #require(logprobs["token_logprobs"]?[position]?.double)
                #expect(abs(all[ids[position]] - given) < 1e-4)
                #expect(abs(all.reduce(0) { $0 + exp($1) } - 1) < 1e-4)
            }
            let text = try await client.post("/detokenize", "{\"tokens\": \(ids)}").json
            #expect(text["prompt"]?.text?.contains("Once upon a time") == true)
        }
    }

    @Test func embeddingsHaveLengthOne() async throws {
        try await TestServer().run { client in
            let reply = try await client.post(
                "/v1/embeddings", #"{"input": ["a house", "a house", "the sea"]}"#
            ).json
            let vectors = (reply["data"]?.array ?? []).map {
                ($0["embedding"]?.array ?? []).compactMap(\.double)
            }
            #expect(vectors.count == 3)
            #expect(vectors.allSatisfy { abs($0.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4 })
            #expect(vectors[0] == vectors[1])
            #expect(vectors[0] != vectors[2])
        }
    }

    /// Each refusal has its status, OpenAI's shape, and names the field.
    @Test(arguments: [
        ("/v1/completions", "{", 400, nil), ("/v1/completions", "[]", 400, nil),
        ("/v1/completions", "{}", 400, "prompt"),
        ("/v1/completions", #"{"prompt": ""}"#, 400, "prompt"),
        ("/v1/completions", #"{"prompt": [99999999]}"#, 400, "prompt"),
        ("/v1/completions", #"{"prompt": "a", "max_tokens": 999999}"#, 400, "max_tokens"),
        ("/v1/completions", #"{"prompt": "a", "temperature": -1}"#, 400, "temperature"),
        (
            "/v1/completions",
            #"{"prompt": "a", "stop": "\#(String(repeating: "Ç", count: 257))"}"#, 400, "stop"
        ),
        ("/v1/completions", #"{"prompt": "a", "model": "other"}"#, 404, "model"),
        ("/v1/completions", #"{"prompt": "a", "logit_bias": {"x": 1}}"#, 400, "logit_bias"),
        ("/v1/chat/completions", #"{"messages": []}"#, 400, "messages"),
        (
            "/v1/chat/completions",
            #"{"messages": [{"role": "user", "content": "a"}], "tool_choice": "required"}"#, 400,
            "tool_choice"
        ),
        (
            "/v1/chat/completions",
            #"{"messages": [{"role": "user", "content": "a"}], "#
                + #""response_format": {"type": "xml"}}"#, 400, "response_format"
        ),
        ("/v1/next", #"{"tokens": []}"#, 400, "tokens"), ("/nothing", "{}", 404, nil),
    ])
    func refusalsNameTheField(
        _ path: String, _ body: String, _ status: Int, _ field: String?
    ) async throws {
        try await TestServer().run { client in
            let reply = try await client.post(path, body)
            #expect(reply.status == status)
            let error = try #require(try reply.json["error"])
            #expect(error["message"]?.text?.isEmpty == false)
            #expect(error["param"]?.text == field)
        }
    }

    @Test func aFullQueueTellsWhenToComeBack() async throws {
        try await TestServer(waiting: 0).run { client in
            let reply = try await client.post("/v1/completions", #"{"prompt": "a"}"#)
            #expect(reply.status == 429)
            #expect(reply.headers[.retryAfter] == "1")
        }
    }

    @Test func nothingIsAnsweredBeforeTheDevicesAreThere() async throws {
        try await TestServer(isReady: false).run { client in
            #expect(try await client.get("/ready").status == 503)
            #expect(try await client.get("/health").status == 200)
            let reply = try await client.post("/v1/completions", #"{"prompt": "a"}"#)
            #expect(reply.status == 503)
        }
    }

    @Test func keysAreNeededWhereThereAreSome() async throws {
        var options = APIServer.Options()
        options.keys = try APIKeys("# ours\n\(APIKeys.digest(of: "secret")) me\n")
        try await TestServer(options: options).run { client in
            #expect(try await client.get("/health").status == 200)
            let refused = try await client.get("/v1/models")
            #expect(refused.status == 401)
            let wrong = try await client.get("/v1/models", headers: [.authorization: "Bearer x"])
            #expect(wrong.status == 401)
            let right = try await client.get(
                "/v1/models", headers: [.authorization: "Bearer secret"])
            #expect(try right.json["data"]?[0]?["id"]?.text == "demo")
        }
    }

    /// The document names exactly what is served.
    @Test func theDocumentIsTrue() async throws {
        try await TestServer().run { client in
            let document = try await client.get("/openapi.json").json
            guard case .object(let paths)? = document["paths"] else {
                Issue.record("no paths")
                return
            }
            for path in paths where path.key.text != "/dashboard/events" {
                let name = path.key.text.replacing("{name}", with: "demo")
                let reply =
                    path.value["get"] == nil
                    ? try await client.post(name, "{}") : try await client.get(name)
                #expect(reply.status == (path.value["get"] == nil ? 400 : 200), "\(name)")
            }
            #expect(paths.count == 16)
        }
    }

    /// What a path has no answer for is refused with what it has; HEAD is answered where GET is.
    @Test func otherMethodsAreRefused() async throws {
        try await TestServer().run { client in
            for method in [HTTPRequest.Method.get, .put, .delete, .trace] {
                let response = try await client.executeRequest(
                    uri: "/v1/completions", method: method, headers: [:], body: nil)
                #expect(response.status == .methodNotAllowed)
                #expect(response.headers[.allow] == "POST")
            }
            let head = try await client.executeRequest(
                uri: "/health", method: .head, headers: [:], body: nil)
            #expect(head.status == .ok)
            #expect(head.body.readableBytes == 0)
            let whole = try await client.post("/detokenize", #"{"tokens": [1.0, 2]}"#)
            #expect(whole.status == 200)
        }
    }
}
