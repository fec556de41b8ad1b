package import Tokenizers

/// Where one answer stands in its grammar: which tokens may come next, and when it is whole.
///
/// A value: copies go on by themselves. The grammar behind them is shared.
package struct TokenConstraint: Sendable {
    private let grammar: TokenGrammar
    private var place: TokenGrammar.Place
    /// The tokens so far.
    private var taken: [Int] = []

    /// At the beginning of an answer.
    package init(_ grammar: TokenGrammar) {
        self.grammar = grammar
        place = grammar.start
    }

    /// The tokens that may come next, those that end the answer among them if it is whole. Never
    /// empty if there are such.
    ///
    /// - Complexity: O(vocabulary / 64) at a place that any answer to this grammar has been at;
    ///   else up to O(bytes of the vocabulary).
    package mutating func allowed(ends: Set<Int>) -> TokenSet {
        var allowed = grammar.allowed(at: &place, after: taken)
        if grammar.completion(at: &place, after: taken).isComplete {
            for id in ends { allowed.insert(id) }
        }
        return allowed
    }

    /// Takes the next token, which is no end.
    ///
    /// - Returns: whether it may come; if not, nothing has changed.
    package mutating func advance(_ id: Int) -> Bool {
        guard grammar.advance(&place, by: id, after: taken) else { return false }
        taken.append(id)
        return true
    }

    /// Whether the answer is whole and nothing can follow.
    package mutating func isFinished() -> Bool {
        grammar.completion(at: &place, after: taken).isFinal
    }
}
