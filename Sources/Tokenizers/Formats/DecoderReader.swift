/// Reads `decoder` of a `tokenizer.json` into the order that streaming needs.
struct DecoderReader {
    private var rules = DecodingRules()
    /// After `Fuse` all text is one token: only steps that work character by character can follow.
    private var isFused = false

    private static let known = "ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace, Sequence"

    static func rules(_ field: JSONField) throws(TokenizerError) -> DecodingRules {
        guard !field.isNull else { return DecodingRules(joinsBySpaces: true) }
        var reader = DecoderReader()
        try reader.append(field)
        let count = reader.rules.tokenSteps.count + reader.rules.textSteps.count
        try PatternReader.checkStepCount(count, field)
        return reader.rules
    }

    private mutating func append(_ field: JSONField) throws(TokenizerError) {
        let kind = try field["type"].string()
        if rules.spelling == .byteLevel || isFused && ["ByteLevel", "ByteFallback"].contains(kind) {
            throw field.reporter.unsupported(
                "\(field.path) is \(quoted(kind.utf8)) in a place where it cannot be streamed")
        }
        switch kind {
        case "Sequence": for part in try field["decoders"].array() { try append(part) }
        case "ByteLevel": rules.spelling = .byteLevel
        case "ByteFallback": rules.spelling = .byteFallback
        case "Fuse": isFused = true
        case "Replace": try appendReplace(field)
        case "Strip": try appendStrip(field)
        case "Metaspace":
            let mark = try PatternReader.scalar(field["replacement"])
            let dropsFirst = try PreTokenizerReader.prependScheme(field) != .never
            rules.tokenSteps.append(.metaspace(mark, dropsFirst: dropsFirst))
        default:
            throw field.reporter.unsupported(
                "\(field.path).type is \(quoted(kind.utf8)), known are \(Self.known)")
        }
    }

    private mutating func appendReplace(_ field: JSONField) throws(TokenizerError) {
        let content = try field["content"].bytes()
        let pattern = field["pattern"]
        guard !pattern["String"].isNull else {
            throw field.reporter.unsupported("\(pattern.path) is not a String, the kind known here")
        }
        if isFused {
            rules.textSteps.append(
                .replace(try PatternReader.scalar(pattern["String"]), with: content))
        } else {
            let literal = try pattern["String"].bytes()
            guard !literal.isEmpty else {
                throw field.reporter.malformed("\(pattern.path) is an empty string")
            }
            rules.tokenSteps.append(.replace(literal, with: content))
        }
    }

    private mutating func appendStrip(_ field: JSONField) throws(TokenizerError) {
        let scalar = try PatternReader.scalar(field["content"])
        let start = try field["start"].integer(through: TokenizerLimits.tokenByteCount)
        let stop = try field["stop"].integer(through: TokenizerLimits.tokenByteCount)
        guard isFused else {
            rules.tokenSteps.append(.strip(scalar, start: start, end: stop))
            return
        }
        guard stop == 0 else {
            throw field.reporter.unsupported(
                "\(field.path).stop is \(stop) after Fuse; only 0 can be streamed")
        }
        rules.textSteps.append(.stripStart(scalar, count: start))
    }
}
