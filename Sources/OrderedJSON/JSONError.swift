/// Why bytes are not the JSON document that its reader asked for.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What kind of thing went wrong; for callers that react, never for display.
    package enum Code: Sendable {
        /// Not JSON by RFC 8259, or something that the rules refuse.
        case malformed
        /// Over one of the limits of ``JSONRules``.
        case overLimit
    }

    package let code: Code
    /// What is wrong, on one line, without the place.
    package let message: String
    /// Where in the document, in bytes from 0.
    package let offset: Int
    /// Where in the document, in lines from 1.
    package let line: Int

    /// - Complexity: O(offset), to count lines.
    init(_ code: Code, _ message: String, at offset: Int, in json: [UInt8]) {
        self.code = code
        self.message = message
        self.offset = offset
        line = 1 + json.prefix(offset).count { $0 == UInt8(ascii: "\n") }
    }

    /// One line with the place and what is wrong there.
    package var description: String { "JSON at byte \(offset) (line \(line)): \(message)" }
}
