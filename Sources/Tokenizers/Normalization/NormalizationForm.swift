import Foundation

/// The four Unicode normalization forms (Unicode Standard Annex 15).
///
/// Foundation does the work, but only where there is any: a scalar that no form changes and that
/// never combines with the one before it is *inert*, and text around inert scalars is left as it
/// is.
enum NormalizationForm: String, Sendable, CaseIterable {
    case nfc = "NFC"
    case nfd = "NFD"
    case nfkc = "NFKC"
    case nfkd = "NFKD"

    /// Normalizes valid UTF-8 in place.
    ///
    /// - Complexity: O(text); about a nanosecond per inert byte.
    func normalize(_ text: inout [UInt8]) {
        guard var position = firstActive(in: text, from: 0) else { return }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var copied = 0
        while true {
            // A mark may combine with the inert scalar before it.
            let start = position > copied ? UTF8Text.start(in: text, before: position) : position
            let end = firstInert(in: text, from: position)
            result += text[copied..<start]
            result += normalized(String(decoding: text[start..<end], as: UTF8.self)).utf8
            copied = end
            guard let next = firstActive(in: text, from: end) else { break }
            position = next
        }
        text = result + text[copied...]
    }

    private func normalized(_ string: String) -> String {
        switch self {
        // Foundation composes a Hangul syllable with a jamo only when both come as jamo.
        case .nfc: string.decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping
        case .nfd: string.decomposedStringWithCanonicalMapping
        case .nfkc:
            string.decomposedStringWithCompatibilityMapping.precomposedStringWithCanonicalMapping
        case .nfkd: string.decomposedStringWithCompatibilityMapping
        }
    }

    private func firstActive(in text: [UInt8], from start: Int) -> Int? {
        var position = start
        while position < text.count {
            if text[position] < 0x80 {
                position += 1
                continue
            }
            let scalar = UTF8Text.scalar(in: text, at: position)
            guard isInert(scalar.value) else { return position }
            position += scalar.count
        }
        return nil
    }

    private func firstInert(in text: [UInt8], from start: Int) -> Int {
        var position = start
        while position < text.count {
            let scalar = UTF8Text.scalar(in: text, at: position)
            if isInert(scalar.value) { return position }
            position += scalar.count
        }
        return position
    }

    /// Blocks without decompositions, combining marks, or Hangul jamo; a scalar that is missing
    /// here costs time, never correctness.
    private func isInert(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<0x80, 0x4E00...0x9FFF: true
        case 0x0410...0x0418, 0x041A...0x0438, 0x043A...0x044F: true
        case 0x80...0x2FF, 0x0400...0x0481, 0x2010...0x2027, 0x3001...0x3029: self == .nfc
        case 0x3041...0x3093, 0x30A1...0x30F3, 0xAC00...0xD7A3: self == .nfc
        case 0xFF00...0xFFEF, 0x1F300...0x1FAFF: self == .nfc
        default: false
        }
    }
}
