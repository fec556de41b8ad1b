import OrderedJSON
import Testing

/// Every limit holds at its value and is named one above it.
struct JSONLimitTests {
    private func read(
        _ text: String, bytes: Int = 1 << 24, depth: Int = 64, values: Int = 1 << 24
    ) throws(JSONError) -> JSONValue {
        try JSONValue(
            json: Array(text.utf8),
            rules: JSONRules(byteCount: bytes, depth: depth, valueCount: values))
    }

    private func expectOverLimit(
        _ text: String, at offset: Int, _ location: SourceLocation = #_sourceLocation,
        _ body: () throws -> JSONValue
    ) {
        let error = #expect(throws: JSONError.self, sourceLocation: location) { try body() }
        #expect(error?.code == .overLimit, sourceLocation: location)
        #expect(error?.message == text, sourceLocation: location)
        #expect(error?.offset == offset, sourceLocation: location)
    }

    @Test func bytesAreLimited() throws {
        #expect(try read("[1, 2]", bytes: 6) == .array([.integer(1), .integer(2)]))
        expectOverLimit("the document has 6 bytes, the limit is 5", at: 0) {
            try read("[1, 2]", bytes: 5)
        }
    }

    @Test func depthIsLimited() throws {
        #expect(try read("[{\"a\":1}, [1]]", depth: 2)["a"] == nil)
        expectOverLimit("nests deeper than 2 levels", at: 6) {
            try read("[{\"a\":[1]}]", depth: 2)
        }
        expectOverLimit("nests deeper than 64 levels", at: 64) {
            try read(String(repeating: "[", count: 1_000_000))
        }
        let (open, close) = ("{\"a\":", "}")
        let nested =
            String(repeating: open, count: 64) + "1" + String(repeating: close, count: 64)
        var value = try read(nested)
        for _ in 0..<64 { value = try #require(value["a"]) }
        #expect(value == .integer(1))
    }

    /// Containers beside each other do not count as depth.
    @Test func depthIsNotBreadth() throws {
        let siblings = Array(repeating: "[{}]", count: 1000).joined(separator: ",")
        guard case .array(let values) = try read("[\(siblings)]", depth: 3) else {
            Issue.record("not an array")
            return
        }
        #expect(values.count == 1000)
    }

    @Test func valuesAreLimited() throws {
        let text = "[1,[2],{\"a\":3}]"
        #expect(throws: Never.self) { try read(text, values: 6) }
        expectOverLimit("has more than 5 values", at: 12) { try read(text, values: 5) }
    }

    @Test func numbersAreLimited() throws {
        let limit = JSONRules.numberByteCount
        let longest = "0." + String(repeating: "3", count: limit - 2)
        #expect(try read(longest) == .number(1.0 / 3))
        expectOverLimit("a number has more than \(limit) bytes", at: 1) {
            try read("[\(longest)3]")
        }
        expectOverLimit("a number has more than \(limit) bytes", at: 0) {
            try read(String(repeating: "9", count: limit + 1))
        }
    }
}
