import OrderedJSON
import Testing

@testable import APIServer

/// Answers that are forced into JSON.
@Suite(.timeLimit(.minutes(5))) struct ForcedAnswerTests {
    private static let schema = """
        {"type": "object", "additionalProperties": false, "required": ["name", "age", "tags"],
         "properties": {"name": {"type": "string", "maxLength": 8},
         "age": {"type": "integer", "minimum": 0, "maximum": 150},
         "tags": {"type": "array", "items": {"enum": ["a", "b", null]}, "maxItems": 3}}}
        """

    private static func body(_ format: String, _ more: String) -> String {
        #"{"messages": [{"role": "user", "content": "Once upon a time"}], "#
            + #""response_format": \#(format), \#(more)}"#
    }

    private static let schemaFormat =
        #"{"type": "json_schema", "json_schema": {"name": "person", "strict": true, "schema": "#
        + schema + "}}"

    private func isPerson(_ text: String?) throws -> Bool {
        let value = try JSONValue(json: Array((text ?? "").utf8), rules: Self.rules)
        guard case .object(let members) = value else { return false }
        guard let name = value["name"]?.text, case .integer(let age)? = value["age"] else {
            return false
        }
        return members.map(\.key) == ["name", "age", "tags"] && name.unicodeScalars.count <= 8
            && 0...150 ~= age && (value["tags"]?.array.count ?? 9) <= 3
            && (value["tags"]?.array ?? []).allSatisfy { $0 == .null || $0.text != nil }
    }

    private static let rules = JSONRules(byteCount: 1 << 20, depth: 64, valueCount: 1 << 16)

    /// Greedy and hot, with bias and penalties, several at once, streamed: always the form.
    @Test func answersFollowTheSchema() async throws {
        try await TestServer().run { client in
            for more in [
                #""temperature": 0"#, #""temperature": 2, "seed": 3, "n": 3"#,
                #""temperature": 5, "seed": 4, "top_k": 3, "min_p": 0.9"#,
                #""temperature": 1, "seed": 5, "logit_bias": {"7": 100, "300": 100}"#,
                #""temperature": 1, "seed": 6, "top_p": 0.5, "frequency_penalty": 2"#,
            ] {
                let body = Self.body(Self.schemaFormat, #""max_tokens": 200, \#(more)"#)
                let whole = try await client.post("/v1/chat/completions", body).json
                for choice in whole["choices"]?.array ?? [] {
                    #expect(choice["finish_reason"]?.text == "stop", "\(more)")
                    #expect(try isPerson(choice["message"]?["content"]?.text), "\(more)")
                }
                let chunks = try await client.post(
                    "/v1/chat/completions", String(body.dropLast()) + #", "stream": true}"#
                ).chunks
                let mine = chunks.filter { $0["choices"]?[0]?["index"] == .integer(0) }
                let text = mine.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.text }
                #expect(text.joined() == whole["choices"]?[0]?["message"]?["content"]?.text)
            }
        }
    }

    @Test func anyObjectIsAnObject() async throws {
        try await TestServer().run { client in
            var whole = 0
            for seed in 0..<4 {
                let reply = try await client.post(
                    "/v1/chat/completions",
                    Self.body(
                        #"{"type": "json_object"}"#,
                        #""max_tokens": 300, "seed": \#(seed), "temperature": 1.5"#)
                ).json
                let choice = try #require(reply["choices"]?[0])
                let text = choice["message"]?["content"]?.text ?? ""
                #expect(text.hasPrefix("{"))
                guard choice["finish_reason"]?.text == "stop" else { continue }
                whole += 1
                let value = try JSONValue(json: Array(text.utf8), rules: Self.rules)
                guard case .object = value else {
                    Issue.record("seed \(seed): \(text)")
                    continue
                }
            }
            #expect(whole > 0)
        }
    }

    /// Log-probabilities are the model's own; what cuts an answer off says so.
    @Test func otherOptionsKeepTheirMeaning() async throws {
        try await TestServer().run { client in
            let scored = try await client.post(
                "/v1/chat/completions",
                Self.body(
                    Self.schemaFormat,
                    #""temperature": 0, "logprobs": true, "top_logprobs": 1, "max_tokens": 200"#)
            ).json
            let scores = scored["choices"]?[0]?["logprobs"]?["content"]?.array ?? []
            // The form forbids what the model likes best at least at its beginning.
            #expect(scores[0]["token"]?.text?.hasPrefix("{") == true)
            #expect(scores[0]["top_logprobs"]?[0]?["token"] != scores[0]["token"])
            let cut = try await client.post(
                "/v1/chat/completions", Self.body(Self.schemaFormat, #""max_tokens": 3"#)
            ).json
            #expect(cut["choices"]?[0]?["finish_reason"]?.text == "length")
            let stopped = try await client.post(
                "/v1/chat/completions",
                Self.body(Self.schemaFormat, #""max_tokens": 200, "stop": "age", "seed": 1"#)
            ).json
            let text = stopped["choices"]?[0]?["message"]?["content"]?.text
            #expect(text?.contains("age") == false)
            #expect(stopped["choices"]?[0]?["finish_reason"]?.text == "stop")
        }
    }

    @Test(arguments: [
        (#"{"type": "json_schema"}"#, "response_format"),
        (
            #"{"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}}"#,
            "response_format.json_schema.name"
        ),
        (
            #"{"type": "json_schema", "json_schema": {"name": "a", "schema": {"not": {}}}}"#,
            "response_format.json_schema.schema"
        ),
        (
            #"{"type": "json_schema", "json_schema": {"name": "a", "schema": false}}"#,
            "response_format.json_schema.schema"
        ),
    ])
    func refusalsNameTheKeyword(_ format: String, _ field: String) async throws {
        try await TestServer().run { client in
            let reply = try await client.post("/v1/chat/completions", Self.body(format, #""n": 1"#))
            #expect(reply.status == 400)
            let error = try reply.json["error"]
            #expect(error?["param"]?.text == field)
            #expect(error?["message"]?.text?.hasPrefix(field) == true)
            if format.contains("not") {
                #expect(error?["message"]?.text?.hasPrefix(field + ".not: ") == true)
            }
        }
    }
}
