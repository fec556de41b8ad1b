import Foundation
import OrderedJSON
import SystemModel
import TestSupport
import Testing
import Tokenizers

@testable import APIServer

@Suite(.timeLimit(.minutes(5))) struct ToolCallTests {
    /// An answer in a format, and what it is made of: text and calls joined.
    struct Example: Sendable {
        let format: ToolCallFormat
        let answer: String
        let text: String
        let calls: [String]
    }

    static let examples = [
        Example(
            format: .hermes,
            answer:
                "Let me see <b>.<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"é}\"}}\n"
                + "</tool_call>\n<tool_call>nonsense</tool_call><tool_call>{\"name\": \"g\"}",
            text: "Let me see <b>.<tool_call>nonsense</tool_call>",
            calls: [#"f {"a": "é}"}"#, "g {}"]),
        Example(
            format: .hermes,
            answer: "<tool_call>{\"arguments\": {\"a\": 1}, \"name\": \"f\"}</tool_call>",
            text: "", calls: [#"f {"a":1}"#]),
        Example(
            format: .llama3, answer: #"{"name": "f", "parameters": {"a": {"b": "\"}"}}}"#,
            text: "", calls: [#"f {"a": {"b": "\"}"}}"#]),
        Example(
            format: .llama3, answer: #"<|python_tag|>{"name": "f", "parameters": {}}"#,
            text: "", calls: ["f {}"]),
        Example(format: .llama3, answer: "Just {text}.", text: "Just {text}.", calls: []),
        Example(
            format: .mistral,
            answer: #"Well. [TOOL_CALLS][{"name": "f", "arguments": {"a": [1]}, "id": "123456789"}"#
                + #", {"name": "g", "arguments": {}}]"#,
            text: "Well. ", calls: [#"f {"a": [1]}"#, "g {}"]),
        Example(
            format: .deepSeek,
            answer: "Hm.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": 1}"
                + "<｜tool▁call▁end｜><｜tool▁call▁begin｜>g<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
                + "<｜tool▁calls▁end｜>",
            text: "Hm.", calls: [#"f {"a": 1}"#, "g {}"]),
        Example(
            format: .kimi,
            answer: "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0"
                + "<|tool_call_argument_begin|>{\"a\": 1}<|tool_call_end|><|tool_call_begin|>"
                + "functions.g:1<|tool_call_argument_begin|>{}<|tool_call_end|>"
                + "<|tool_calls_section_end|>",
            text: "", calls: [#"f {"a": 1}"#, "g {}"]),
    ]

    /// However it is cut, text is text and calls are calls.
    @Test(arguments: 0..<20)
    func callsAreTakenOut(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for example in Self.examples {
            var parser = ToolCallParser(example.format)
            var rest = example.answer[...]
            var pieces: [ToolCallParser.Piece] = []
            while !rest.isEmpty {
                let piece = rest.prefix(.random(in: 1...9, using: &generator))
                rest = rest.dropFirst(piece.count)
                pieces += parser.append(String(piece))
            }
            pieces += parser.finish()
            let (text, calls) = Self.joined(pieces)
            #expect(text == example.text, "seed \(seed), \(example.format)")
            #expect(calls == example.calls, "seed \(seed), \(example.format)")
        }
    }

    private static func joined(_ pieces: [ToolCallParser.Piece]) -> (String, [String]) {
        var text = ""
        var calls: [String] = []
        for piece in pieces {
            switch piece {
            case .text(let more): text += more
            case .call(let name): calls.append(name + " ")
            case .arguments(let more): calls[calls.count - 1] += more
            }
        }
        return (text, calls)
    }

    @Test func oneCallAtMost() {
        for example in Self.examples where example.calls.count > 1 {
            var parser = ToolCallParser(example.format, most: 1)
            let pieces = parser.append(example.answer) + parser.finish()
            #expect(Self.joined(pieces).1 == [example.calls[0]], "\(example.format)")
        }
    }

    /// The published templates tell their formats; what is not known is not guessed.
    @Test(arguments: [
        ("Qwen-Qwen2.5-7B-Instruct", ToolCallFormat.hermes), ("Qwen-Qwen3-0.6B", .hermes),
        ("ibm-granite-granite-4.0", .hermes), ("meta-llama-Llama-3.1-8B-Instruct", .llama3),
        ("mistralai-Mistral-Nemo-Instruct-2407", .mistral),
        ("deepseek-ai-DeepSeek-V3.1", .deepSeek), ("Kimi-K2-Instruct", .kimi), ("GLM-4.6", nil),
        ("google-gemma-2-2b-it", nil), ("openai-gpt-oss-120b", nil),
    ])
    func templatesTellTheFormat(_ name: String, _ format: ToolCallFormat?) throws {
        let source = String(decoding: try Fixtures.bytes("templates/\(name).jinja"), as: UTF8.self)
        #expect(ToolCallFormat(template: source) == format)
    }

    private static let tools = """
        "tools": [
          {"type": "function", "function": {"name": "weather", "parameters": {"type": "object",
           "properties": {"city": {"enum": ["Oslo", "Rome"]}, "days": {"type": "integer",
           "minimum": 1, "maximum": 9}}, "required": ["city", "days"],
           "additionalProperties": false}}},
          {"type": "function", "function": {"name": "clock"}}]
        """

    private func body(_ more: String) -> String {
        #"{"messages": [{"role": "user", "content": "Once upon a time"}], \#(Self.tools), "#
            + #""max_tokens": 300, \#(more)}"#
    }

    private func isCall(_ call: JSONValue) throws -> Bool {
        let text = call["function"]?["arguments"]?.text ?? ""
        let arguments = try JSONValue(
            json: Array(text.utf8), rules: JSONRules(byteCount: 4096, depth: 9, valueCount: 99))
        guard call["id"]?.text != nil, call["type"]?.text == "function" else { return false }
        guard call["function"]?["name"]?.text == "weather" else { return arguments == .object([]) }
        return ["Oslo", "Rome"].contains(arguments["city"]?.text)
            && (1...9).contains(arguments["days"]?.double ?? 0)
    }

    /// In each format: forced calls follow the schema, whole and streamed.
    @Test(arguments: ToolCallFormat.allCases)
    func callsAreForced(_ format: ToolCallFormat) async throws {
        try await TestServer(callFormat: format).run { client in
            for choice in [
                #""tool_choice": {"type": "function", "function": {"name": "weather"}}"#,
                #""tool_choice": "required", "parallel_tool_calls": false"#,
                #""tool_choice": "required""#,
            ] {
                let body = body(#"\#(choice), "seed": 5, "temperature": 1.2"#)
                let whole = try await client.post("/v1/chat/completions", body).json
                let answer = try #require(whole["choices"]?[0])
                let calls = answer["message"]?["tool_calls"]?.array ?? []
                #expect(!calls.isEmpty, "\(choice)")
                #expect(calls.count == 1 || choice.hasSuffix("\"required\""))
                // Drawn hot, many calls may come, and the last one may be cut off.
                let isCut = answer["finish_reason"]?.text == "length"
                #expect(isCut || answer["finish_reason"]?.text == "tool_calls", "\(choice)")
                #expect(!isCut || choice.hasSuffix("\"required\""), "\(choice)")
                for call in calls.dropLast(isCut ? 1 : 0) {
                    #expect(try isCall(call), "\(choice)")
                }
                #expect(answer["message"]?["content"] == nil, "\(choice)")
                let chunks = try await client.post(
                    "/v1/chat/completions", String(body.dropLast()) + #", "stream": true}"#
                ).chunks
                let deltas = chunks.flatMap {
                    $0["choices"]?[0]?["delta"]?["tool_calls"]?.array ?? []
                }
                for (index, call) in calls.enumerated() {
                    let mine = deltas.filter { $0["index"] == .integer(index) }
                    let name = mine.first?["function"]?["name"]
                    #expect(name == call["function"]?["name"])
                    #expect(mine.first?["id"]?.text != nil)
                    #expect(mine.dropFirst().allSatisfy { $0["id"] == nil })
                    let arguments = mine.compactMap { $0["function"]?["arguments"]?.text }.joined()
                    #expect(arguments == call["function"]?["arguments"]?.text)
                    #expect(isCut || mine.count > 2 || arguments == "{}")
                }
            }
        }
    }

    @Test(arguments: [
        (#""tool_choice": {"type": "function", "function": {"name": "other"}}"#, "tool_choice"),
        (#""tool_choice": "any""#, "tool_choice"),
        (#""tool_choice": {"type": "allowed_tools"}"#, "tool_choice"),
        (#""tool_choice": "required", "parallel_tool_calls": 3"#, "parallel_tool_calls"),
    ])
    func choicesAreChecked(_ more: String, _ field: String) async throws {
        try await TestServer().run { client in
            let reply = try await client.post("/v1/chat/completions", body(more))
            #expect(reply.status == 400)
            #expect(try reply.json["error"]?["param"]?.text == field)
        }
    }

    @Test func unknownFormatsAreNotForced() async throws {
        try await TestServer(callFormat: nil).run { client in
            let reply = try await client.post(
                "/v1/chat/completions", body(#""tool_choice": "required""#))
            #expect(reply.status == 400)
            #expect(try reply.json["error"]?["param"]?.text == "tool_choice")
            let free = try await client.post(
                "/v1/chat/completions", body(#""tool_choice": "auto", "n": 1"#))
            #expect(free.status == 200)
        }
    }
}
