/// A token that is recognised in the text before anything else, such as "<|im_end|>".
struct AddedToken: Sendable {
    let id: Int
    let content: [UInt8]
    /// Whether decoding may leave it out.
    let isSpecial: Bool
    /// Whether it is looked for after normalization instead of before.
    var isNormalized = false
    /// Whether it must not touch a word character on either side.
    var isSingleWord = false
    /// Whether white space before (after) it belongs to it.
    var stripsLeft = false
    var stripsRight = false
}

/// Finds added tokens in text: leftmost first, longest among those that begin together.
struct AddedTokenMatcher: Sendable {
    /// A part of the text: an added token, or what lies between two.
    struct Part {
        let range: Range<Int>
        let id: Int?
    }

    private var tokens: [AddedToken] = []
    /// Child nodes by `node << 8 | byte`; node 0 is the root.
    private var children: [Int: Int] = [:]
    /// Indices of tokens that end at a node.
    private var endings: [Int: Int] = [:]
    private var nodeCount = 1
    private var firstBytes = [Bool](repeating: false, count: 256)

    var isEmpty: Bool { tokens.isEmpty }

    /// Adds a token to look for as `spelling` (its content, perhaps normalized); an empty one never
    /// occurs.
    mutating func insert(_ token: AddedToken, spelling: [UInt8]) {
        guard let first = spelling.first else { return }
        firstBytes[Int(first)] = true
        var node = 0
        for byte in spelling {
            let key = node << 8 | Int(byte)
            node = children[key] ?? nodeCount
            if node == nodeCount {
                children[key] = node
                nodeCount += 1
            }
        }
        endings[node] = tokens.count
        tokens.append(token)
    }

    /// Cuts `text` into added tokens and the rest.
    ///
    /// - Complexity: O(text), plus the longest token's length wherever one may begin.
    func parts(_ text: [UInt8]) -> [Part] {
        var parts: [Part] = []
        var end = 0
        var position = 0
        while position < text.count {
            guard firstBytes[Int(text[position])], let found = longestMatch(text, position) else {
                position += 1
                continue
            }
            let token = tokens[found.token]
            let match = position..<found.end
            position = found.end
            guard !token.isSingleWord || standsAlone(match, in: text) else { continue }
            let range = widened(match, token, in: text, from: end)
            if range.lowerBound > end { parts.append(Part(range: end..<range.lowerBound, id: nil)) }
            parts.append(Part(range: range, id: token.id))
            end = range.upperBound
            position = end
        }
        if end < text.count { parts.append(Part(range: end..<text.count, id: nil)) }
        return parts
    }

    private func longestMatch(_ text: [UInt8], _ start: Int) -> (token: Int, end: Int)? {
        var node = 0
        var longest: (token: Int, end: Int)?
        for position in start..<text.count {
            guard let child = children[node << 8 | Int(text[position])] else { break }
            node = child
            if let token = endings[node] { longest = (token, position + 1) }
        }
        return longest
    }

    private func standsAlone(_ match: Range<Int>, in text: [UInt8]) -> Bool {
        if match.lowerBound > 0 {
            let start = UTF8Text.start(in: text, before: match.lowerBound)
            if ScalarSet.wordByAnnexC.contains(UTF8Text.scalar(in: text, at: start).value) {
                return false
            }
        }
        guard match.upperBound < text.count else { return true }
        return !ScalarSet.wordByAnnexC.contains(
            UTF8Text.scalar(in: text, at: match.upperBound).value)
    }

    private func widened(
        _ match: Range<Int>, _ token: AddedToken, in text: [UInt8], from limit: Int
    ) -> Range<Int> {
        var (start, end) = (match.lowerBound, match.upperBound)
        while token.stripsLeft, start > limit {
            let previous = UTF8Text.start(in: text, before: start)
            let scalar = UTF8Text.scalar(in: text, at: previous).value
            guard ScalarSet.whiteSpace.contains(scalar) else { break }
            start = previous
        }
        while token.stripsRight, end < text.count {
            let scalar = UTF8Text.scalar(in: text, at: end)
            guard ScalarSet.whiteSpace.contains(scalar.value) else { break }
            end += scalar.count
        }
        return start..<end
    }
}
