/// Why a registry did not do what it was asked.
package struct RegistryError: Error, Equatable, CustomStringConvertible {
    /// For callers that react, never for display.
    package enum Code: Sendable {
        /// Another entry is there than was expected.
        case conflict
        /// The lease has ended.
        case noLease
        /// Changes that were asked for are forgotten.
        case compacted
        /// A limit of `RegistryLimits`.
        case limitExceeded
        /// A key that may not be.
        case invalid
    }

    package let code: Code
    /// One line for people.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
