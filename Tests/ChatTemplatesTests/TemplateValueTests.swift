import ChatTemplates
import Testing

/// JSON is read with its order and kinds of numbers; what is not JSON is refused.
struct TemplateValueTests {
    private func read(_ json: String) throws -> TemplateValue {
        try TemplateValue(json: [UInt8](json.utf8))
    }

    @Test func keepsOrderAndKinds() throws {
        let value = try read(
            #"{"z": 1, "a": 1.0, "m": [true, null, "\u00e9\ud83d\ude00"], "z": -2e1}"#)
        guard case .object(let object) = value else {
            Issue.record("Not an object: \(value)")
            return
        }
        #expect(object.keys == ["z", "a", "m"])
        #expect(object["z"] == .double(-20))
        #expect(object["a"] == .double(1))
        #expect(object["m"] == .array([.bool(true), .null, .string("é😀")]))
    }

    @Test func keysAreComparedByScalars() throws {
        let object = TemplateObject([("\u{e9}", .int(1)), ("e\u{301}", .int(2))])
        #expect(object.keys.count == 2)
        #expect(object["e\u{301}"] == .int(2))
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "01", "1.", ".5", "1e", "-",
        "\"a", "\"\\x\"", "\"\\u12\"", "\"\n\"", "tru", "nul", "[1]]", "1 2", "NaN", "+1",
        "9223372036854775808", "{\"a\":1,}",
    ])
    func refusesWhatIsNotJSON(text: String) {
        #expect(throws: TemplateValue.JSONError.self) { try read(text) }
    }

    @Test func refusesInvalidUTF8() {
        #expect(throws: TemplateValue.JSONError.self) {
            try TemplateValue(json: [0x22, 0xFF, 0x22])
        }
    }
}
