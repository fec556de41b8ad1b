/// Why a device cannot go on: one line that names the file or field and what to do.
package struct WorkerError: Error, Equatable, CustomStringConvertible {
    /// What kind of thing went wrong; for callers that react, never for display.
    package enum Code: Sendable { case cache, protocolViolation, refused, memory }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
