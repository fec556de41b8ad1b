/// A text or key of a JSON document: UTF-8 bytes without their escapes.
///
/// Two are equal when their bytes are. Swift's own strings are equal by canonical equivalence: a
/// vocabulary with both the composed and the decomposed form of a character would lose an entry.
package struct JSONString: Sendable, Hashable {
    /// The text's bytes, valid UTF-8.
    package let utf8: [UInt8]

    /// The text as Swift has it. O(bytes).
    package var text: String { String(decoding: utf8, as: UTF8.self) }

    /// Takes bytes that were validated together with their document.
    init(validated utf8: [UInt8]) { self.utf8 = utf8 }

    /// At most 40 characters in quotation marks and on one line, for error messages.
    package var excerpt: String {
        let characters = text.prefix(41)
        var line = ""
        for scalar in characters.prefix(40).unicodeScalars {
            line.unicodeScalars.append(scalar.properties.generalCategory == .control ? "?" : scalar)
        }
        return "\"\(line)\(characters.count > 40 ? "…" : "")\""
    }
}

extension JSONString: ExpressibleByStringLiteral {
    /// The literal's bytes.
    package init(stringLiteral text: String) { utf8 = Array(text.utf8) }
}
