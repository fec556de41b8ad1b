import Foundation

/// What a command writes: answers to standard output, everything else to standard error.
enum Output {
    /// Writes text to standard output at once. A reader that went away ends the command quietly.
    static func write(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            exit(0)
        }
    }

    /// Writes one line to standard output.
    static func line(_ text: String) {
        write(text + "\n")
    }

    /// Writes one JSON object on one line to standard output.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Writes one line to standard error.
    static func note(_ text: String) {
        write(toError: text + "\n")
    }

    /// Writes text to standard error at once.
    static func write(toError text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
