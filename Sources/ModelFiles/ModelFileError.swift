/// Why a model file was refused or not written: one line that names the file, the field and the limit.
package struct ModelFileError: Error, Equatable, CustomStringConvertible {
    /// What kind of thing went wrong; for callers that react, never for display.
    package enum Code: Sendable {
        case cannotOpen, cannotWrite, malformed, overLimit, missing, unsupported
    }

    package let code: Code
    /// The file's path as the user gave it.
    package let file: String
    /// What is wrong and with which field, in one sentence without the file.
    package let message: String

    package init(_ code: Code, file: String, _ message: String) {
        self.code = code
        self.file = file
        self.message = message
    }

    package var description: String { "\(file): \(message)" }
}
