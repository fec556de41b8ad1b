/// Drafts of the next tokens from the text itself: what followed the last tokens when they stood
/// there before (prompt lookup decoding, Saxena 2023; the longest match as in LLMA, Yang et al.
/// 2023).
///
/// Answers that repeat their prompt, as in editing, summarising and code, are drafted well; others
/// seldom match, and a missing match costs nothing. The length of drafts follows their success.
struct PromptLookup: Sendable {
    /// Longest and shortest run of last tokens that is looked for.
    private static let matchLengths = (2...4).reversed()

    /// Most tokens of a draft; 0 never drafts.
    let longest: Int
    /// Most tokens of the next draft: doubled when all were right, halved when none was.
    private var length: Int

    init(longest: Int) {
        precondition(longest >= 0, "a draft has no negative length")
        self.longest = longest
        length = longest
    }

    /// Likely continuations of `text`: up to `room` tokens, none where nothing matches.
    ///
    /// - Complexity: O(text).
    func draft(_ text: [Int], room: Int) -> [Int] {
        let wanted = min(length, room)
        guard wanted > 0 else { return [] }
        for count in Self.matchLengths where text.count > count {
            let pattern = text.suffix(count)
            for end in stride(from: text.count - 1, through: count, by: -1)
            where text[end - 1] == text[text.count - 1]
                && text[end - count..<end].elementsEqual(pattern)
            {
                return continuation(of: text, from: end, count: wanted)
            }
        }
        return []
    }

    /// `text[from...]`, repeated where it ends.
    private func continuation(of text: [Int], from start: Int, count: Int) -> [Int] {
        let period = text.count - start
        return (0..<count).map { text[start + $0 % period] }
    }

    /// Learns how many tokens of a draft were right.
    mutating func verified(drafted: Int, accepted: Int) {
        if accepted == drafted { length = min(longest, 2 * length) }
        if accepted == 0 { length = max(1, length / 2) }
    }
}
