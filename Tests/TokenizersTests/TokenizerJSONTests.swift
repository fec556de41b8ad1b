import OrderedJSON
import SystemModel
import Testing

@testable import Tokenizers

/// Files that are broken, unusual or hostile: one line of error, never a crash.
@Suite struct TokenizerJSONTests {
    private static func make(_ json: String) throws -> Tokenizer {
        try Tokenizer(tokenizerJSON: Array(json.utf8), file: "t.json")
    }

    private static func model(_ vocabulary: String, _ merges: String = "", _ more: String = "")
        -> String
    {
        #"{"model":{"type":"BPE","vocab":{\#(vocabulary)},"merges":[\#(merges)]}\#(more)}"#
    }

    private func expect(
        _ code: TokenizerError.Code, _ text: String, _ json: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: TokenizerError.self, sourceLocation: location) {
            try Self.make(json)
        }
        #expect(error?.code == code, sourceLocation: location)
        let message = error?.message ?? ""
        #expect(message.hasPrefix("t.json: "), sourceLocation: location)
        #expect(message.contains(text), "\(message)", sourceLocation: location)
        #expect(!message.contains("\n"), sourceLocation: location)
    }

    @Test func refusesBrokenJSON() {
        for json in [
            "", " ", "{", "[", #"{"a""#, #"{"a":}"#, #"{"a":1,}"#, "nul", "{}x", "\"", #""\x""#,
            #""\ud800""#, #""\udc00""#, "\"\u{1}\"", "-", "1e", "[1 2]", #"{1:2}"#, #""\u00""#,
        ] {
            expect(.malformed, "", json)
        }
        let error = #expect(throws: TokenizerError.self) {
            try Tokenizer(tokenizerJSON: [0x22, 0xFF, 0x22], file: "t.json")
        }
        #expect(error?.code == .malformed)
        expect(.limitExceeded, "nests deeper than 64", String(repeating: "[", count: 1_000_000))
    }

    @Test func readsAllOfJSON() throws {
        let text = #" {"a":[1,-2.5e1,true,false,null,"é\u00e9\ud83d\ude00\n\"\\\/"],"a":{}} "#
        let root = try JSONField.root(of: Array(text.utf8), reporter: ErrorReporter(file: ""))
        let members = try root.members()
        #expect(members.count == 2)
        guard case .array(let items) = members[0].value else {
            Issue.record("not an array")
            return
        }
        #expect(
            items.map(\.kind) == [
                "a number", "a number", "a boolean", "a boolean", "null", "a string",
            ])
        guard case .number(-25) = items[1], case .string(let bytes) = items[5] else {
            Issue.record("wrong values")
            return
        }
        #expect(bytes.utf8 == Array("éé😀\n\"\\/".utf8))
    }

    @Test func refusesMissingAndWrongFields() {
        expect(.malformed, "model.vocab is null", "{}")
        expect(.malformed, "expected an object", "[]")
        expect(.malformed, "model.merges", #"{"model":{"vocab":{}}}"#)
        expect(.unsupported, "Unigram", #"{"model":{"type":"Unigram","vocab":[]}}"#)
        expect(.malformed, "model.type is a number", #"{"model":{"type":1}}"#)
        expect(.malformed, "added_tokens[0].content", Self.model("", "", #","added_tokens":[{}]"#))
        expect(
            .unsupported, "known are ByteLevel",
            Self.model("", "", #","pre_tokenizer":{"type":"Nonsense"}"#))
        expect(
            .unsupported, "known are NFC", Self.model("", "", #","normalizer":{"type":"Nonsense"}"#)
        )
        expect(
            .unsupported, "known are ByteLevel",
            Self.model("", "", #","decoder":{"type":"WordPiece"}"#))
        expect(
            .unsupported, "ByteLevel",
            Self.model(
                "", "",
                #","pre_tokenizer":{"type":"Sequence","pretokenizers":["#
                    + #"{"type":"ByteLevel"},{"type":"Digits"}]}"#
            ))
    }

    @Test func refusesContradictions() {
        expect(.inconsistent, "occurs twice", Self.model(#""a":0,"b":0"#))
        expect(.inconsistent, "occurs twice", Self.model(#""a":0,"a":1"#))
        expect(.limitExceeded, "not an id", Self.model(#""a":-1"#))
        expect(.limitExceeded, "not an id", Self.model(#""a":1.5"#))
        expect(.limitExceeded, "not an id", Self.model(#""a":4194304"#))
        expect(.limitExceeded, "not an id", Self.model(#""a":1e300"#))
        expect(.inconsistent, "merges[0]", Self.model(#""a":0,"b":1"#, #""a b""#))
        expect(.inconsistent, "merges[0]", Self.model(#""a":0,"b":1"#, #"["a","c"]"#))
        expect(.malformed, "merges[0]", Self.model(#""a":0"#, #""aa""#))
        expect(.malformed, "merges[0]", Self.model(#""a":0"#, #"["a"]"#))
        let added = #","added_tokens":[{"id":0,"content":"b"}]"#
        expect(.inconsistent, "already is", Self.model(#""a":0"#, "", added))
        let other = #","added_tokens":[{"id":7,"content":"a"}]"#
        expect(.inconsistent, "has id 7 here and 0", Self.model(#""a":0"#, "", other))
    }

    @Test func refusesWhatExceedsALimit() {
        let long = String(repeating: "a", count: TokenizerLimits.tokenByteCount + 1)
        expect(.limitExceeded, "65536", Self.model("\"\(long)\":0"))
        expect(
            .limitExceeded, "65536",
            Self.model("", "", #","added_tokens":[{"id":0,"content":"\#(long)"}]"#))
        let huge = [UInt8](repeating: 0x78, count: 100_000_000)
        let error = #expect(throws: TokenizerError.self) {
            let json = Array(#"{"model":{"vocab":{""#.utf8) + huge + Array(#"":0}}}"#.utf8)
            return try Tokenizer(tokenizerJSON: json, file: "t.json")
        }
        #expect(error?.code == .limitExceeded)
        let pattern = String(repeating: "a", count: TokenizerLimits.patternByteCount + 1)
        let split = #"{"type":"Split","pattern":{"Regex":"\#(pattern)"},"behavior":"Isolated"}"#
        expect(.limitExceeded, "16384", Self.model("", "", #","pre_tokenizer":\#(split)"#))
        let steps = Array(repeating: #"{"type":"NFC"}"#, count: 65).joined(separator: ",")
        let sequence = #","normalizer":{"type":"Sequence","normalizers":[\#(steps)]}"#
        expect(.limitExceeded, "the limit is 64", Self.model("", "", sequence))
    }

    /// Every single-byte change of a small file is read or refused.
    @Test func survivesDamage() throws {
        let json = Array(
            Self.model(
                #""a":0,"b":1,"ab":2"#, #"["a","b"]"#,
                #","normalizer":{"type":"NFC"},"added_tokens":[{"id":3,"content":"<s>"}]"#
            ).utf8)
        var read = 0
        for seed in UInt64(0)..<3000 {
            var generator = SeededGenerator(seed: seed)
            var damaged = json
            damaged[Int.random(in: 0..<json.count, using: &generator)] = UInt8.random(
                in: 0...255, using: &generator)
            if seed % 3 == 0 {
                damaged.removeLast(Int.random(in: 0..<json.count, using: &generator))
            }
            guard let tokenizer = try? Tokenizer(tokenizerJSON: damaged, file: "t.json") else {
                continue
            }
            read += 1
            _ = tokenizer.encode("abba<s>")
        }
        #expect(read > 0)
    }

    /// "é" and "e" with an accent are canonically equivalent, and two tokens.
    @Test func keepsCanonicallyEquivalentTokensApart() throws {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        let tokenizer = try Self.make(
            Self.model(
                "\"\(composed)\":0,\"e\":1,\"\u{301}\":2,\"\(decomposed)\":3",
                "[\"e\",\"\u{301}\"]"))
        #expect(tokenizer.id(ofToken: composed) == 0)
        #expect(tokenizer.id(ofToken: decomposed) == 3)
        #expect(tokenizer.encode(composed + decomposed) == [0, 3])
    }

    @Test func knowsWhatThePostProcessorAdds() throws {
        let template = #"""
            ,"added_tokens":[{"id":5,"content":"<s>","special":true}],"post_processor":{"type":
            "Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[
            {"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
            "special_tokens":{"<s>":{"id":"<s>","ids":[5],"tokens":["<s>"]}}}]}
            """#
        let tokenizer = try Self.make(Self.model(#""a":0"#, "", template))
        #expect(tokenizer.beginOfTextID == 5)
        #expect(tokenizer.addsBeginOfText)
        #expect(tokenizer.endOfTextIDs.isEmpty)
        #expect(tokenizer.encode("a<s>") == [0, 5])
        #expect(tokenizer.isSpecial(5))
        #expect(!tokenizer.isSpecial(0))
        #expect(tokenizer.vocabularyCount == 6)
        #expect(tokenizer.decode([0, 3, 5, 99, -1], skippingSpecialTokens: true) == "a")
        #expect(tokenizer.bytes(of: 3).isEmpty)
        #expect(tokenizer.bytes(of: -1).isEmpty)
    }
}
