/// Checks of single fields, shared by the messages. Each error names field, value and limit.
enum Requirements {
    static func range(
        _ value: Int, _ range: ClosedRange<Int>, _ field: String
    ) throws(WireError) {
        guard range.contains(value) else {
            throw WireError(.limitExceeded, "\(field) is \(value), outside \(range)")
        }
    }

    static func rate(_ value: Double, _ field: String) throws(WireError) {
        guard value > 0, value <= Limits.deviceGigaRate else {
            throw WireError(
                .invalid, "\(field) is \(value); it must be positive and ≤ \(Limits.deviceGigaRate)"
            )
        }
    }

    /// A name: not empty, printable, at most `Limits.nameBytes`.
    static func name(_ text: String, _ field: String) throws(WireError) {
        guard !text.isEmpty else {
            throw WireError(.invalid, "\(field) is empty")
        }
        try self.text(text, limit: Limits.nameBytes, field)
    }

    /// A line of text: printable, at most `limit` UTF-8 bytes.
    static func text(_ text: String, limit: Int, _ field: String) throws(WireError) {
        guard text.utf8.count <= limit else {
            throw WireError(
                .limitExceeded,
                "\(field) has \(text.utf8.count) bytes; at most \(limit) are accepted")
        }
        guard text.unicodeScalars.allSatisfy(isPrintable) else {
            throw WireError(.invalid, "\(field) has a character that cannot be printed on a line")
        }
    }

    /// `text` as a line that passes `text(_:limit:_:)`: what cannot be printed becomes a space.
    static func line(_ text: String, limit: Int = Limits.messageBytes) -> String {
        var line = ""
        var byteCount = 0
        for scalar in text.unicodeScalars {
            let printed = isPrintable(scalar) ? scalar : " "
            byteCount += UTF8.width(printed)
            guard byteCount <= limit else { break }
            line.unicodeScalars.append(printed)
        }
        return line
    }

    /// Neither a control nor something that reorders or hides text on a terminal.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            false
        default:
            true
        }
    }
}
