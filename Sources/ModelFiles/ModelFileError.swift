/// Why a model file was refused or not written: one line that names the file, the field and the
/// limit.
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

    /// - Parameter message: one sentence; control characters, which names in a damaged file may
    ///   have, become "?".
    package init(_ code: Code, file: String, _ message: String) {
        self.code = code
        self.file = file
        let scalars = message.unicodeScalars.map { scalar in
            let breaks =
                scalar.properties.generalCategory == .control
                || scalar == "\u{2028}" || scalar == "\u{2029}"
            return breaks ? "?" : scalar
        }
        self.message = String(String.UnicodeScalarView(scalars))
    }

    package var description: String { "\(file): \(message)" }
}
