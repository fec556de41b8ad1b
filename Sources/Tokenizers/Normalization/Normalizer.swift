/// One step that rewrites text before it is cut into pieces.
enum NormalizationStep: Sendable {
    case form(NormalizationForm)
    case lowercase
    /// Removes all combining marks.
    case stripAccents
    case strip(left: Bool, right: Bool)
    /// Not applied to empty text.
    case prepend([UInt8])
    case replace(Pattern, with: [UInt8])
}

/// Rewrites text, step by step, before it is cut into pieces. Input and output are valid UTF-8.
struct Normalizer: Sendable {
    var steps: [NormalizationStep] = []

    /// - Complexity: O(text) per step.
    func normalize(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for step in steps { Self.apply(step, to: &text) }
        return text
    }

    private static func apply(_ step: NormalizationStep, to text: inout [UInt8]) {
        switch step {
        case .form(let form): form.normalize(&text)
        case .lowercase: mapScalars(&text) { $0.properties.lowercaseMapping }
        case .stripAccents:
            mapScalars(&text) { marks.contains($0.value) ? "" : String($0) }
        case .strip(let left, let right): strip(&text, left: left, right: right)
        case .prepend(let prefix): if !text.isEmpty { text.insert(contentsOf: prefix, at: 0) }
        case .replace(let pattern, let replacement): replace(pattern, with: replacement, in: &text)
        }
    }

    private static let marks = ScalarSet.category("M")

    private static func mapScalars(_ text: inout [UInt8], _ map: (Unicode.Scalar) -> String) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            result += map(scalar).utf8
        }
        text = result
    }

    private static func strip(_ text: inout [UInt8], left: Bool, right: Bool) {
        var range = 0..<text.count
        while left, !range.isEmpty {
            let scalar = UTF8Text.scalar(in: text, at: range.lowerBound)
            guard ScalarSet.whiteSpace.contains(scalar.value) else { break }
            range = range.lowerBound + scalar.count..<range.upperBound
        }
        while right, !range.isEmpty {
            let start = UTF8Text.start(in: text, before: range.upperBound)
            guard ScalarSet.whiteSpace.contains(UTF8Text.scalar(in: text, at: start).value) else {
                break
            }
            range = range.lowerBound..<start
        }
        text = Array(text[range])
    }

    private static func replace(
        _ pattern: Pattern, with replacement: [UInt8], in text: inout [UInt8]
    ) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var end = 0
        pattern.forEachMatch(in: text, 0..<text.count) { match in
            result += text[end..<match.lowerBound]
            result += replacement
            end = match.upperBound
        }
        text = result + text[end...]
    }
}
