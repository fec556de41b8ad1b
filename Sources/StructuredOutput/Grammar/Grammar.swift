/// A language of byte sequences: rules that may call each other, so that values nest.
///
/// A rule is a graph of states. An edge takes a byte or a special token; a jump takes nothing; a
/// call goes through another rule and comes back. What leads from a rule's start to its end is what
/// the rule stands for. (A recursive transition network: Woods, Transition network grammars for
/// natural language analysis, 1970.)
package struct Grammar: Sendable {
    /// What an edge takes.
    enum Symbols: Hashable, Sendable {
        case bytes(ByteSet)
        /// A token of the vocabulary that has no bytes of its own in a text.
        case token(Int)
    }

    struct Edge: Sendable, Hashable {
        let symbols: Symbols
        let target: Int
    }

    struct Call: Sendable, Hashable {
        let rule: Int
        /// Where to go on after the rule's end.
        let next: Int
    }

    struct State: Sendable {
        /// Whose state it is.
        let rule: Int
        var edges: [Edge] = []
        var jumps: [Int] = []
        var calls: [Call] = []
    }

    struct Rule: Sendable {
        let start: Int
        /// Nothing leads on from here.
        let end: Int
    }

    var states: [State] = []
    var rules: [Rule] = []
    /// The rule of a whole answer.
    var root = 0
}

extension Grammar {
    /// The same language without what can never be completed: then every beginning that the
    /// grammar lets through has an end.
    ///
    /// - Parameter available: the bytes that can be written; edges lose all others.
    /// - Returns: nil if the language is empty.
    /// - Complexity: O(states · rounds), a round for each level of rules that need each other.
    func pruned(available: ByteSet) -> Grammar? {
        var grammar = self
        for index in grammar.states.indices {
            grammar.states[index].edges = grammar.states[index].edges.compactMap { edge in
                guard case .bytes(let set) = edge.symbols else { return edge }
                let left = set.intersection(available)
                return left.isEmpty ? nil : Edge(symbols: .bytes(left), target: edge.target)
            }
        }
        let live = grammar.live()
        guard live[grammar.rules[grammar.root].start] else { return nil }
        for index in grammar.states.indices {
            grammar.states[index].edges.removeAll { !live[$0.target] }
            grammar.states[index].jumps.removeAll { !live[$0] }
            grammar.states[index].calls.removeAll {
                !live[grammar.rules[$0.rule].start] || !live[$0.next]
            }
        }
        return grammar
    }

    /// For each state whether its rule's end can be reached from it.
    private func live() -> [Bool] {
        var live = Array(repeating: false, count: states.count)
        for rule in rules { live[rule.end] = true }
        var isChanging = true
        while isChanging {
            isChanging = false
            // States are mostly made front to back, so that back to front settles them quickly.
            for index in states.indices.reversed() where !live[index] {
                let state = states[index]
                live[index] =
                    state.edges.contains { live[$0.target] }
                    || state.jumps.contains { live[$0] }
                    || state.calls.contains { live[rules[$0.rule].start] && live[$0.next] }
                if live[index] { isChanging = true }
            }
        }
        return live
    }
}
