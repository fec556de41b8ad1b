/// Makes a grammar, piece after piece: each piece goes from a state to the one that it returns.
struct GrammarBuilder {
    private(set) var grammar = Grammar()
    /// Most states.
    private let limit: Int
    /// The rule that is being made.
    private(set) var rule = 0

    init(limit: Int) { self.limit = limit }

    /// A new rule; what is made next belongs to it.
    mutating func makeRule() throws(SchemaError) -> Int {
        rule = grammar.rules.count
        grammar.rules.append(Grammar.Rule(start: 0, end: 0))
        let (start, end) = (try makeState(), try makeState())
        grammar.rules[rule] = Grammar.Rule(start: start, end: end)
        return rule
    }

    /// Goes on with a rule that was made before.
    mutating func resume(_ rule: Int) { self.rule = rule }

    mutating func setRoot(_ rule: Int) { grammar.root = rule }

    func start(of rule: Int) -> Int { grammar.rules[rule].start }

    func end(of rule: Int) -> Int { grammar.rules[rule].end }

    mutating func makeState() throws(SchemaError) -> Int {
        guard grammar.states.count < limit else {
            throw SchemaError(
                "", "needs more than \(limit) states of an automaton; make it smaller")
        }
        grammar.states.append(Grammar.State(rule: rule))
        return grammar.states.count - 1
    }

    mutating func jump(_ state: Int, to target: Int) {
        grammar.states[state].jumps.append(target)
    }

    /// One of some bytes.
    mutating func bytes(_ set: ByteSet, from state: Int) throws(SchemaError) -> Int {
        let next = try makeState()
        bytes(set, from: state, to: next)
        return next
    }

    /// One of some bytes, to a state that is there; nothing for an empty set.
    mutating func bytes(_ set: ByteSet, from state: Int, to target: Int) {
        guard !set.isEmpty else { return }
        grammar.states[state].edges.append(Grammar.Edge(symbols: .bytes(set), target: target))
    }

    /// Exactly these bytes.
    mutating func literal(
        _ bytes: some Sequence<UInt8>, from state: Int
    ) throws(SchemaError) -> Int {
        var state = state
        for byte in bytes { state = try self.bytes(ByteSet([byte]), from: state) }
        return state
    }

    /// A special token.
    mutating func token(_ id: Int, from state: Int) throws(SchemaError) -> Int {
        let next = try makeState()
        grammar.states[state].edges.append(Grammar.Edge(symbols: .token(id), target: next))
        return next
    }

    /// What a rule stands for. No rule may come back to its own start by calls alone.
    mutating func call(_ rule: Int, from state: Int) throws(SchemaError) -> Int {
        let next = try makeState()
        grammar.states[state].calls.append(Grammar.Call(rule: rule, next: next))
        return next
    }

    /// A piece several times.
    ///
    /// - Parameters:
    ///   - most: nil for any number.
    ///   - piece: makes it once, from the given state to the one that it returns.
    mutating func repeated(
        from state: Int, least: Int, most: Int?,
        _ piece: (inout GrammarBuilder, Int) throws(SchemaError) -> Int
    ) throws(SchemaError) -> Int {
        var state = state
        for _ in 0..<least { state = try piece(&self, state) }
        guard let most else {
            let loop = try makeState()
            jump(state, to: loop)
            jump(try piece(&self, loop), to: loop)
            return loop
        }
        let exit = try makeState()
        for _ in 0..<max(0, most - least) {
            jump(state, to: exit)
            state = try piece(&self, state)
        }
        jump(state, to: exit)
        return exit
    }

    /// Takes the rules of another grammar; returns the one of its whole texts.
    mutating func embed(_ other: Grammar) throws(SchemaError) -> Int {
        let (states, rules) = (grammar.states.count, grammar.rules.count)
        guard states + other.states.count <= limit else {
            throw SchemaError(
                "", "needs more than \(limit) states of an automaton; make it smaller")
        }
        grammar.states += other.states.map { state in
            Grammar.State(
                rule: state.rule + rules,
                edges: state.edges.map {
                    Grammar.Edge(symbols: $0.symbols, target: $0.target + states)
                },
                jumps: state.jumps.map { $0 + states },
                calls: state.calls.map {
                    Grammar.Call(rule: $0.rule + rules, next: $0.next + states)
                })
        }
        grammar.rules += other.rules.map {
            Grammar.Rule(start: $0.start + states, end: $0.end + states)
        }
        return other.root + rules
    }
}
