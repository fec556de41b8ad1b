/// Why a connection is being closed by the base station, for the device to show to its user.
package struct Refusal: JSONMessage, Equatable {
    /// `Frame.Kind.refusal`.
    package static let kind = Frame.Kind.refusal

    /// Reasons that a device may react to differently.
    package enum Code: String, Codable, Sendable {
        /// What arrived is not this protocol.
        case notMartlet
        /// Another version of the protocol.
        case unsupportedVersion
        /// A message is malformed or outside its limits.
        case invalid
        /// Nothing arrived in time.
        case timedOut
        /// Too many connections; try again later.
        case busy
        /// The bulk connection's device or token is unknown.
        case unknownSession
        /// The base station is going away; try again later.
        case shuttingDown
    }

    /// The reason.
    package let code: Code
    /// One line for people.
    package let message: String

    /// Refuses a peer. `message` is cut to `Limits.messageBytes` and to one printable line.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = Requirements.line(message)
    }

    /// The refusal that answers what could not be read.
    package init(_ error: WireError) {
        let code: Code =
            switch error.code {
            case .notMartlet: .notMartlet
            case .unsupportedVersion: .unsupportedVersion
            case .truncated, .limitExceeded, .invalid, .nonFinite: .invalid
            }
        self.init(code, error.message)
    }

    /// Checks the message's length and characters.
    package func validate() throws(WireError) {
        try Requirements.text(message, limit: Limits.messageBytes, "refusal: message")
    }
}
