/// Runs a grammar byte by byte, in all its ways at once.
///
/// What may be the case after some bytes (states, each with the stacks of its calls) is a
/// configuration. Each gets a number when it first occurs and remembers where each byte leads, so
/// that it is worked out once: a deterministic automaton that grows as it is used.
struct GrammarMachine {
    /// No configuration: what came is not the beginning of anything.
    static let dead = -1

    private struct Item: Hashable {
        let state: Int32
        let stacks: Int32
    }

    private struct Configuration: Hashable {
        /// Those with edges, by state.
        var items: [Item] = []
        var isComplete = false
    }

    private let grammar: Grammar
    private let classes: SymbolClasses
    private var stacks = StackSets()
    private var configurations: [Configuration] = []
    private var numbers: [Configuration: Int] = [:]
    /// `[configuration, class]`: the next configuration, `dead`, or `unknown`.
    private var table: [Int32] = []
    private static let unknown: Int32 = -2

    /// - Parameter grammar: a pruned one.
    init(_ grammar: Grammar) {
        self.grammar = grammar
        classes = SymbolClasses(grammar)
        let rule = grammar.rules[grammar.root]
        _ = close([Item(state: Int32(rule.start), stacks: stacks.bottom)])
    }

    /// Before the first byte.
    var start: Int { 0 }

    /// How many configurations have occurred.
    var count: Int { configurations.count }

    /// Whether what came is a whole text of the language.
    func isComplete(_ configuration: Int) -> Bool { configurations[configuration].isComplete }

    /// Whether nothing can follow.
    func isFinal(_ configuration: Int) -> Bool { configurations[configuration].items.isEmpty }

    /// The special tokens that the grammar uses.
    var tokens: [Int] { classes.tokens }

    /// Where a byte leads.
    mutating func step(_ configuration: Int, byte: UInt8) -> Int {
        step(configuration, class: classes.ofByte[Int(byte)])
    }

    /// Where a special token leads.
    mutating func step(_ configuration: Int, token: Int) -> Int {
        guard let position = classes.tokens.firstIndex(of: token) else { return Self.dead }
        return step(configuration, class: Int32(classes.byteClassCount + position))
    }

    private mutating func step(_ configuration: Int, class symbol: Int32) -> Int {
        let entry = configuration * classes.count + Int(symbol)
        let known = table[entry]
        if known != Self.unknown { return Int(known) }
        let next = move(configuration, class: Int(symbol))
        table[entry] = Int32(next)
        return next
    }

    private mutating func move(_ configuration: Int, class symbol: Int) -> Int {
        var items: [Item] = []
        for item in configurations[configuration].items {
            for edge in grammar.states[Int(item.state)].edges
            where classes.contains(edge.symbols, class: symbol) {
                items.append(Item(state: Int32(edge.target), stacks: item.stacks))
            }
        }
        return items.isEmpty ? Self.dead : close(items)
    }

    /// The configuration of all that can be reached without a byte.
    private mutating func close(_ items: [Item]) -> Int {
        var reached: [Int32: Int32] = [:]
        var pending = items
        var isComplete = false
        while let item = pending.popLast() {
            var stacks = item.stacks
            if let before = reached[item.state] {
                stacks = self.stacks.union(before, stacks)
                guard stacks != before else { continue }
            }
            reached[item.state] = stacks
            let state = grammar.states[Int(item.state)]
            for target in state.jumps { pending.append(Item(state: Int32(target), stacks: stacks)) }
            for call in state.calls {
                let start = Int32(grammar.rules[call.rule].start)
                pending.append(
                    Item(state: start, stacks: self.stacks.push(call.next, on: stacks)))
            }
            guard grammar.rules[state.rule].end == Int(item.state) else { continue }
            for frame in self.stacks.frames(stacks) {
                guard frame.state != StackSets.bottomState else {
                    isComplete = true
                    continue
                }
                pending.append(Item(state: frame.state, stacks: frame.below))
            }
        }
        let kept = reached.filter { !grammar.states[Int($0.key)].edges.isEmpty }
        return number(
            Configuration(
                items: kept.map { Item(state: $0.key, stacks: $0.value) }
                    .sorted { $0.state < $1.state }, isComplete: isComplete))
    }

    private mutating func number(_ configuration: Configuration) -> Int {
        if let known = numbers[configuration] { return known }
        let new = configurations.count
        configurations.append(configuration)
        numbers[configuration] = new
        table += repeatElement(Self.unknown, count: classes.count)
        return new
    }
}

/// Bytes that no edge tells apart, together; and each special token by itself.
private struct SymbolClasses {
    /// The class of each byte.
    let ofByte: [Int32]
    let byteClassCount: Int
    /// The special tokens of the grammar; their classes follow those of bytes.
    let tokens: [Int]
    /// A byte of each class.
    private let examples: [UInt8]

    var count: Int { byteClassCount + tokens.count }

    init(_ grammar: Grammar) {
        var sets: Set<ByteSet> = []
        var tokens: Set<Int> = []
        for edge in grammar.states.lazy.flatMap(\.edges) {
            switch edge.symbols {
            case .bytes(let set): sets.insert(set)
            case .token(let id): tokens.insert(id)
            }
        }
        var classOfMembership: [[Bool]: Int32] = [:]
        var ofByte: [Int32] = []
        var examples: [UInt8] = []
        let ordered = Array(sets)
        for byte in UInt8.min...UInt8.max {
            let membership = ordered.map { $0.contains(byte) }
            if classOfMembership[membership] == nil {
                classOfMembership[membership] = Int32(examples.count)
                examples.append(byte)
            }
            ofByte.append(classOfMembership[membership] ?? 0)
        }
        self.ofByte = ofByte
        byteClassCount = examples.count
        self.tokens = tokens.sorted()
        self.examples = examples
    }

    func contains(_ symbols: Grammar.Symbols, class symbol: Int) -> Bool {
        switch symbols {
        case .bytes(let set): symbol < byteClassCount && set.contains(examples[symbol])
        case .token(let id): symbol >= byteClassCount && tokens[symbol - byteClassCount] == id
        }
    }
}
