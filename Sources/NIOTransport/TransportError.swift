/// A connection or a listener could not be made.
package struct TransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may want to tell apart.
    package enum Code: String, Sendable {
        /// Another program listens on that port.
        case addressInUse
        /// The address is not one of this machine, or may not be used by this user.
        case addressNotAvailable
        /// The host name has no address.
        case unknownHost
        /// Nobody listens there.
        case refused
        /// No answer in time.
        case timedOut
        /// Anything else that the system reports.
        case failed
    }

    /// Which kind.
    package let code: Code
    /// One line for people: the address, what went wrong, what to do.
    package let message: String

    /// Makes an error. `message` is one line.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
