/// Reads `pre_tokenizer` of a `tokenizer.json`.
struct PreTokenizerReader {
    private(set) var steps: [PreTokenizationStep] = []
    /// Whether the last step spells bytes with GPT-2's alphabet.
    private(set) var isByteLevel = false

    private static let known = """
        ByteLevel, Split, Sequence, Metaspace, Digits, Whitespace, WhitespaceSplit, Punctuation, \
        CharDelimiterSplit
        """
    /// What `ByteLevel` cuts by (GPT-2's `encoder.py`).
    static let gpt2 =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    static func read(_ field: JSONField) throws(TokenizerError) -> PreTokenizerReader {
        var reader = PreTokenizerReader()
        if !field.isNull { try reader.append(field) }
        try PatternReader.checkStepCount(reader.steps.count, field)
        return reader
    }

    private mutating func append(_ field: JSONField) throws(TokenizerError) {
        guard !isByteLevel else {
            throw field.reporter.unsupported("\(field.path) follows ByteLevel, which must be last")
        }
        let kind = try field["type"].string()
        switch kind {
        case "Sequence":
            for part in try field["pretokenizers"].array() { try append(part) }
        case "ByteLevel": try appendByteLevel(field)
        case "Split":
            let split = Split(
                pattern: try PatternReader.pattern(field["pattern"]),
                behavior: try behavior(field["behavior"]),
                isInverted: try field["invert"].boolean(default: false))
            steps.append(.split(split))
        case "Metaspace": steps.append(try metaspace(field))
        case "Digits":
            let isIndividual = try field["individual_digits"].boolean(default: false)
            appendSplit(ScalarSet.category("N"), isIndividual ? .isolated : .contiguous)
        case "Punctuation":
            let isolated = field["behavior"].isNull
            appendSplit(.punctuation, isolated ? .isolated : try behavior(field["behavior"]))
        case "WhitespaceSplit": appendSplit(.whiteSpace, .removed)
        case "Whitespace":
            let word = ScalarSet.wordByAnnexC
            let words = Pattern(runsOf: [word, word.union(.whiteSpace).inverted])
            steps.append(
                .split(Split(pattern: words, behavior: .removed, isInverted: true)))
        case "CharDelimiterSplit":
            let delimiter = Pattern(literal: try PatternReader.scalar(field["delimiter"]))
            steps.append(.split(Split(pattern: delimiter, behavior: .removed)))
        default:
            throw field.reporter.unsupported(
                "\(field.path).type is \(quoted(kind.utf8)), known are \(Self.known)")
        }
    }

    private mutating func appendSplit(_ set: ScalarSet, _ behavior: SplitBehavior) {
        steps.append(.split(Split(pattern: Pattern(set), behavior: behavior)))
    }

    private mutating func appendByteLevel(_ field: JSONField) throws(TokenizerError) {
        isByteLevel = true
        if try field["add_prefix_space"].boolean(default: true) { steps.append(.prefixSpace) }
        guard try field["use_regex"].boolean(default: true) else { return }
        let pattern = try Pattern(expression: Self.gpt2, reporter: field.reporter)
        steps.append(.split(Split(pattern: pattern, behavior: .isolated)))
    }

    private func behavior(_ field: JSONField) throws(TokenizerError) -> SplitBehavior {
        let name = try field.string()
        guard let behavior = SplitBehavior(rawValue: name) else {
            let known = SplitBehavior.allCases.map(\.rawValue).joined(separator: ", ")
            throw field.reporter.unsupported(
                "\(field.path) is \(quoted(name.utf8)), known are \(known)")
        }
        return behavior
    }

    private func metaspace(_ field: JSONField) throws(TokenizerError) -> PreTokenizationStep {
        let mark = try PatternReader.scalar(field["replacement"])
        return .metaspace(
            replacement: UTF8Text.scalar(in: mark, at: 0).value,
            prepend: try Self.prependScheme(field),
            isSplitting: try field["split"].boolean(default: true))
    }

    /// `prepend_scheme`, or what older files say with `add_prefix_space`.
    static func prependScheme(_ field: JSONField) throws(TokenizerError) -> PrependScheme {
        let scheme = field["prepend_scheme"]
        guard !scheme.isNull else {
            return try field["add_prefix_space"].boolean(default: true) ? .always : .never
        }
        let name = try scheme.string()
        guard let known = PrependScheme(rawValue: name) else {
            throw field.reporter.unsupported(
                "\(scheme.path) is \(quoted(name.utf8)), known are always, never, first")
        }
        return known
    }
}
