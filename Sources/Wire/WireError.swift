/// What a peer sent, or what was to be sent to it, is not acceptable.
package struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may want to tell apart.
    package enum Code: String, Sendable {
        /// The peer does not speak this protocol at all.
        case notMartlet
        /// The peer speaks another version of it.
        case unsupportedVersion
        /// The bytes end too early, or too many follow.
        case truncated
        /// A count or a size exceeds its named limit (see `Limits`).
        case limitExceeded
        /// A field has a value that it may not have.
        case invalid
        /// An activation is infinite or not a number where that cannot be represented.
        case nonFinite
    }

    /// Which kind.
    package let code: Code
    /// One line for people: the field, the value and the limit.
    package let message: String

    /// Makes an error. `message` is one line.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
