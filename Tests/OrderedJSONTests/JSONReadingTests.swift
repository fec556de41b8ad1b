import OrderedJSON
import Testing

/// What RFC 8259 calls JSON is read as it stands; everything else is refused where it goes wrong.
struct JSONReadingTests {
    static let rules = JSONRules(byteCount: 1 << 20, depth: 64, valueCount: 1 << 16)

    private func read(_ text: String, refusing refusals: JSONRules.Refusals = []) throws(JSONError)
        -> JSONValue
    {
        try JSONValue(
            json: Array(text.utf8),
            rules: JSONRules(
                byteCount: 1 << 20, depth: 64, valueCount: 1 << 16, refusals: refusals))
    }

    @Test func everyKindOfValueIsRead() throws {
        let text = #" {"z":[1,-2.5e1,true,false,null,"\u00e9\n\"\\\/\b\f\r\t"],"a":{}, "m" :""} "#
        #expect(
            try read(text)
                == .object([
                    .init(
                        key: "z",
                        value: .array([
                            .integer(1), .number(-25), .boolean(true), .boolean(false), .null,
                            .string("é\n\"\\/\u{8}\u{C}\r\t"),
                        ])),
                    .init(key: "a", value: .object([])),
                    .init(key: "m", value: .string("")),
                ]))
        #expect(try read("\t\r\n 7 ") == .integer(7))
    }

    @Test func membersAreFoundByName() throws {
        let value = try read(#"{"a":1,"b":null,"a":"2"}"#)
        #expect(value["a"] == .string("2"))
        #expect(value["a"]?.text == "2")
        #expect(value["b"] == nil)
        #expect(value["c"] == nil)
        #expect(JSONValue.integer(1)["a"] == nil)
        #expect(JSONValue.integer(1).text == nil)
    }

    /// "é" and "e" with an accent are canonically equivalent, and two keys.
    @Test func equivalentKeysAreApart() throws {
        let value = try read(
            "{\"\u{E9}\":1,\"e\u{301}\":2}", refusing: .repeatedKeys)
        #expect(value["\u{E9}"] == .integer(1))
        #expect(value["e\u{301}"] == .integer(2))
        #expect(JSONString("\u{E9}") != JSONString("e\u{301}"))
    }

    @Test func repeatedKeysAreKeptOrRefused() throws {
        let text = #"{"x":{"a":1},"y":{"a":2},"x":3}"#
        guard case .object(let members) = try read(text) else {
            Issue.record("not an object")
            return
        }
        #expect(members.map(\.key) == ["x", "y", "x"])
        let error = #expect(throws: JSONError.self) { try read(text, refusing: .repeatedKeys) }
        #expect(error?.code == .malformed)
        #expect(error?.offset == 25)
        #expect(error?.message == "the key \"x\" appears twice")
        #expect(throws: JSONError.self) {
            try read(#"{"a":1,"\u0061":2}"#, refusing: .repeatedKeys)
        }
    }

    static let surrogates: [(String, JSONString)] = [
        (#"\ud83e\udd8a"#, "🦊"), (#"\uD800\uDC00"#, "\u{10000}"), (#"\udbff\udfff"#, "\u{10FFFF}"),
        (#"\uffff"#, "\u{FFFF}"), (#"\ud7ff\ue000"#, "\u{D7FF}\u{E000}"), (#"\u0000"#, "\0"),
    ]

    @Test(arguments: surrogates.indices)
    func pairsAreOneScalar(_ index: Int) throws {
        let (escaped, text) = Self.surrogates[index]
        #expect(try read("\"\(escaped)\"", refusing: .loneSurrogates) == .string(text))
    }

    static let halves: [(String, JSONString)] = [
        (#"\ud800"#, "\u{FFFD}"), (#"\udc00"#, "\u{FFFD}"),
        (#"a\udc00\ud800b"#, "a\u{FFFD}\u{FFFD}b"),
        (#"\ud800\n"#, "\u{FFFD}\n"), (#"\ud800\u0041"#, "\u{FFFD}A"), (#"\ud800u"#, "\u{FFFD}u"),
        (#"\ud800\ud83e\udd8a"#, "\u{FFFD}🦊"),
    ]

    @Test(arguments: halves.indices)
    func halvesAreReplacedOrRefused(_ index: Int) throws {
        let (escaped, text) = Self.halves[index]
        #expect(try read("\"\(escaped)\"") == .string(text))
        let error = #expect(throws: JSONError.self) {
            try read("\"\(escaped)\"", refusing: .loneSurrogates)
        }
        #expect(error?.message == "half of a surrogate pair")
    }

    static let numbers: [(String, JSONValue)] = [
        ("0", .integer(0)), ("-0", .integer(0)), ("-0.0", .number(-0.0)), ("1.0", .number(1)),
        ("1e2", .number(100)), ("1E+2", .number(100)), ("25e-1", .number(2.5)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9007199254740993", .integer(9_007_199_254_740_993)),
        ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
        ("5e-324", .number(.leastNonzeroMagnitude)), ("1e-999", .number(0)),
    ]

    @Test(arguments: numbers.indices)
    func numbersKeepTheirKind(_ index: Int) throws {
        let (text, value) = Self.numbers[index]
        #expect(try read(text, refusing: .largeIntegers) == value, "\(text)")
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "1000000000000000019884624838656",
    ])
    func largeIntegersAreRoundedOrRefused(_ text: String) throws {
        #expect(try read(text) == .number(try #require(Double(text))))
        #expect(throws: JSONError.self) { try read(text, refusing: .largeIntegers) }
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]", "[1]]", "{\"a\"}", "{\"a\":}",
        "{\"a\" 1}", "{\"a\":1,}", "{,}", "{a:1}", "{1:2}", "{\"a\":1 \"b\":2}", "\"", "\"a",
        "\"\\", "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u00", "\"\\ud800\\u12\"",
        "\"\n\"", "\"\u{1}\"", "\"\\n\u{1}\"", "tru", "truE", "nul", "nulll", "False", "'a'", "1 2",
        "{}x", "-", "+1", "01", "-01", "00", "1.", ".5", "1.e1", "1e", "1e+", "0x10", "1e999",
        "-1e999", "NaN", "Infinity", "-Infinity", "\u{FEFF}1", "1//", "\0", "1\0", "\u{A0}1",
    ])
    func refusesWhatIsNotJSON(_ text: String) {
        let error = #expect(throws: JSONError.self) { try read(text) }
        #expect(error?.code == .malformed, "\(text.debugDescription)")
    }

    static let places: [(String, Int, Int, String)] = [
        ("", 0, 1, "expected a value"),
        ("[1,\n2,\n x]", 8, 3, "expected a value"),
        ("[1,\n trux]", 5, 2, "expected a value"),
        ("{\"a\":1\n\n;}", 8, 3, "expected \",\" or \"}\""),
        ("[\"a\\qb\"]", 3, 1, "an unknown escape"),
        ("[012]", 1, 1, "a number begins with 0"),
        ("1 1", 2, 1, "expected the end"),
    ]

    @Test(arguments: places.indices)
    func errorsNameTheirPlace(_ index: Int) throws {
        let (text, offset, line, message) = Self.places[index]
        let error = try #require(#expect(throws: JSONError.self) { try read(text) })
        #expect(error.offset == offset)
        #expect(error.line == line)
        #expect(error.message == message)
        #expect(error.description == "JSON at byte \(offset) (line \(line)): \(message)")
    }

    static let notUTF8: [([UInt8], Int)] = [
        ([0x22, 0xFF, 0x22], 1), ([0x22, 0xC3, 0xA9, 0xC0, 0x80, 0x22], 3),
        ([0x22, 0xED, 0xA0, 0x80, 0x22], 1), ([0x22, 0x61, 0xF0, 0x9F, 0x22], 2),
        ([0x31, 0xE2], 1),
    ]

    @Test(arguments: notUTF8.indices)
    func refusesInvalidUTF8(_ index: Int) {
        let (bytes, offset) = Self.notUTF8[index]
        let error = #expect(throws: JSONError.self) {
            try JSONValue(json: bytes, rules: Self.rules)
        }
        #expect(error?.message == "is not UTF-8")
        #expect(error?.offset == offset)
    }

    @Test func excerptsAreShortLines() {
        #expect(JSONString("a").excerpt == "\"a\"")
        #expect(JSONString("a\n\u{7F}\u{85}b").excerpt == "\"a???b\"")
        let long = JSONString(stringLiteral: String(repeating: "é", count: 41))
        #expect(long.excerpt == "\"\(String(repeating: "é", count: 40))…\"")
    }
}
