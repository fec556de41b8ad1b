import OrderedJSON

/// Reads `normalizer` of a `tokenizer.json`.
enum NormalizerReader {
    private static let known =
        "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, Sequence"

    static func steps(_ field: JSONField) throws(TokenizerError) -> [NormalizationStep] {
        guard !field.isNull else { return [] }
        let kind = try field["type"].string()
        if let form = NormalizationForm(rawValue: kind) { return [.form(form)] }
        switch kind {
        case "Lowercase": return [.lowercase]
        case "StripAccents": return [.stripAccents]
        case "Strip":
            return [
                .strip(
                    left: try field["strip_left"].boolean(),
                    right: try field["strip_right"].boolean())
            ]
        case "Prepend": return [.prepend(try field["prepend"].bytes())]
        case "Replace":
            let pattern = try PatternReader.pattern(field["pattern"])
            return [.replace(pattern, with: try field["content"].bytes())]
        case "Sequence":
            var steps: [NormalizationStep] = []
            for part in try field["normalizers"].array() { steps += try Self.steps(part) }
            try PatternReader.checkStepCount(steps.count, field)
            return steps
        default:
            throw field.reporter.unsupported(
                "\(field.path).type is \(quoted(kind.utf8)), known are \(known)")
        }
    }
}

/// Reads a `pattern`: `{"String": …}` or `{"Regex": …}`.
enum PatternReader {
    static func pattern(_ field: JSONField) throws(TokenizerError) -> Pattern {
        if case .string(let literal) = field.value { return try self.literal(literal.utf8, field) }
        if !field["Regex"].isNull {
            return try Pattern(
                expression: try field["Regex"].string(), reporter: field.reporter)
        }
        return try literal(try field["String"].bytes(), field)
    }

    private static func literal(
        _ bytes: [UInt8], _ field: JSONField
    ) throws(TokenizerError) -> Pattern {
        guard !bytes.isEmpty else {
            throw field.reporter.malformed("\(field.path) is an empty string")
        }
        return Pattern(literal: bytes)
    }

    static func checkStepCount(_ count: Int, _ field: JSONField) throws(TokenizerError) {
        guard count <= TokenizerLimits.stepCount else {
            throw field.reporter.exceeded(
                "\(field.path) has \(count) steps, the limit is \(TokenizerLimits.stepCount)")
        }
    }

    /// The only scalar of a string field, as UTF-8.
    static func scalar(_ field: JSONField) throws(TokenizerError) -> [UInt8] {
        let bytes = try field.bytes()
        guard let first = bytes.first, first != 0,
            UTF8Text.scalar(in: bytes, at: 0).count == bytes.count
        else { throw field.reporter.malformed("\(field.path) is not a single character") }
        return bytes
    }
}
