extension Interpreter {
    /// Runs a loop over the value of its source.
    func run(_ loop: Loop, in scope: Scope) throws {
        line = loop.line
        let source = try evaluate(loop.source, scope)
        try run(loop, over: source, in: scope, depth0: 0)
    }

    private func run(_ loop: Loop, over source: Value, in scope: Scope, depth0: Int) throws {
        try descend()
        defer { depth -= 1 }
        let items = try filtered(loop, try iterate(source), in: scope)
        let known = loop.test == nil ? source.knownCount : nil
        let state = LoopState(items, count: known, depth0: depth0)
        if loop.isRecursive { state.recurse = recursion(loop, scope, depth0) }
        let usesLoop = program.scopes[loop.body.scope].usesLoop
        // As in Jinja, a turn that ends with `break` or `continue` does not count for the `else`.
        var isEmpty = true
        while let item = try state.advance() {
            // A turn makes a scope, which costs more than evaluating a node.
            try charge(4)
            let inner = enter(loop.body.scope, in: scope)
            if usesLoop { inner.setLoop(.loop(state), program) }
            try assign(item, to: loop.target, in: inner)
            let flow = try execute(loop.body.body, in: inner)
            if flow == .breakLoop { break }
            if flow == .next { isEmpty = false }
        }
        if isEmpty, !loop.otherwise.body.isEmpty {
            _ = try execute(
                loop.otherwise.body, in: enter(loop.otherwise.scope, in: scope))
        }
    }

    /// The items that pass the loop's `if`, tested one by one as the loop comes to them.
    private func filtered(
        _ loop: Loop, _ items: ValueIterator, in scope: Scope
    ) throws -> ValueIterator {
        guard let test = loop.test else { return items }
        return ValueIterator("generator", depth: 1) { [unowned self] in
            while let item = try items.next() {
                try charge(1)
                let inner = enter(loop.testScope, in: scope)
                try assign(item, to: loop.target, in: inner)
                if try evaluate(test, inner).isTrue { return item }
            }
            return nil
        }
    }

    private func recursion(_ loop: Loop, _ scope: Scope, _ depth0: Int) -> Function {
        Function("loop") { interpreter, arguments in
            let source = try arguments.bind("loop", ["iterable"])[0]
            return try interpreter.nested {
                .string(
                    try interpreter.capture {
                        try interpreter.run(
                            loop, over: source ?? .none, in: scope, depth0: depth0 + 1)
                    })
            }
        }
    }
}

extension Scope {
    /// Sets the special name `loop`.
    fileprivate func setLoop(_ state: Value, _ program: Program) {
        for (slot, name) in plan.names.enumerated() where program.names[name] == "loop" {
            values[slot] = state
        }
    }
}

extension Value {
    /// The number of items where Python's `len` knows it.
    var knownCount: Int? {
        switch self {
        case .undefined: 0
        case .string(let text), .markup(let text): text.unicodeScalars.count
        case .list(let list), .tuple(let list): list.items.count
        case .dictionary(let dictionary), .view(_, let dictionary): dictionary.count
        case .range(let range): range.count
        case .loop(let loop): try? loop.length()
        default: nil
        }
    }
}

/// What a template sees as `loop`. Looks ahead only when asked to.
final class LoopState {
    /// Turns done, this one included, less one.
    private(set) var index0 = -1
    /// Loops of the same recursion around this one.
    let depth0: Int
    var recurse: Function?
    private var items: ValueIterator
    private var count: Int?
    private var ahead: Value?
    private(set) var previous: Value?
    private var current: Value?
    private var lastChanged: [Value]?

    init(_ items: ValueIterator, count: Int?, depth0: Int) {
        self.items = items
        self.count = count
        self.depth0 = depth0
    }

    /// Goes to the next item.
    func advance() throws -> Value? {
        let item = try ahead ?? items.next()
        ahead = nil
        guard let item else { return nil }
        index0 += 1
        previous = current
        current = item
        return item
    }

    /// The next item, without going to it.
    func following() throws -> Value? {
        if ahead == nil { ahead = try items.next() }
        return ahead
    }

    func length() throws -> Int {
        if let count { return count }
        var rest: [Value] = []
        while let item = try items.next() { rest.append(item) }
        items = ValueIterator(rest)
        let length = rest.count + index0 + 1 + (ahead == nil ? 0 : 1)
        count = length
        return length
    }

    /// The attribute of the name, or nil.
    func attribute(_ name: String) throws -> Value? {
        switch name {
        case "index": return .int(index0 + 1)
        case "index0": return .int(index0)
        case "first": return .bool(index0 == 0)
        case "last": return .bool(try following() == nil)
        case "length": return .int(try length())
        case "revindex": return .int(try length() - index0)
        case "revindex0": return .int(try length() - index0 - 1)
        case "depth": return .int(depth0 + 1)
        case "depth0": return .int(depth0)
        case "previtem":
            return index0 == 0 ? nil : previous
        case "nextitem": return try following()
        case "cycle":
            return .function(Function("cycle") { _, arguments in try self.cycle(arguments) })
        case "changed":
            return .function(Function("changed") { _, arguments in self.changed(arguments) })
        default: return nil
        }
    }

    private func cycle(_ arguments: Arguments) throws -> Value {
        guard !arguments.positional.isEmpty else {
            throw Failure(.type, "no items for cycling given")
        }
        return arguments.positional[index0 % arguments.positional.count]
    }

    private func changed(_ arguments: Arguments) -> Value {
        let isSame = lastChanged.map { last in
            Value.tuple(last).equals(.tuple(arguments.positional))
        }
        lastChanged = arguments.positional
        return .bool(isSame != true)
    }
}
