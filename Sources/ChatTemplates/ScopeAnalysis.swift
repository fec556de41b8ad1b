/// The names that a scope holds, and where each comes from when the scope is entered.
struct ScopePlan: Sendable {
    enum Source: Sendable {
        /// Set by whoever enters the scope: a loop's target, a macro's parameter.
        case parameter
        /// The value given to the template, or a global function.
        case context
        /// A copy of the value that the scope around holds.
        case outer
        /// Not defined until assigned.
        case undefined
    }

    var names: [NameID] = []
    var sources: [Source] = []
    /// Whether a macro's or loop's body uses the special names.
    var usesLoop = false
    var usesCaller = false
    var usesVarargs = false
    var usesKwargs = false
}

/// The numbers of names that mean something to the interpreter.
struct StandardNames: Sendable {
    let loop: NameID
    let caller: NameID
    let varargs: NameID
    let kwargs: NameID
}

/// Decides before rendering which scope holds which name.
///
/// Jinja compiles templates, so a name belongs to a scope because an assignment stands in it, not
/// because it was executed: after `{% if false %}{% set x = 1 %}{% endif %}` in a loop, `x` is the
/// value from outside; a name that is assigned in the template's body is undefined in a macro that
/// is called earlier, even if the caller passed one of that name. Templates depend on such things.
struct ScopeAnalysis {
    private let names: StandardNames
    private(set) var plans: [ScopePlan]

    init(names: StandardNames, scopeCount: Int) {
        self.names = names
        plans = Array(repeating: ScopePlan(), count: scopeCount)
    }

    mutating func analyze(_ program: Block) throws {
        try analyze(program, Symbols(parent: nil))
    }

    /// Completes the symbols of a block, notes them as its plan, and goes into the blocks in it.
    private mutating func analyze(_ block: Block, _ start: Symbols) throws {
        var symbols = start
        visit(block.body, &symbols)
        plans[block.scope] = symbols.plan
        try enter(block.body, ParentSymbols(symbols), isSoft: false)
    }

    // MARK: - The names of one scope

    private func visit(_ statements: [Statement], _ symbols: inout Symbols) {
        for statement in statements { visit(statement, &symbols) }
    }

    private func visit(_ statement: Statement, _ symbols: inout Symbols) {
        switch statement {
        case .text, .breakLoop, .continueLoop, .generation: break
        case .output(let value, _): symbols.load(namesIn(value))
        case .assign(let target, let value, _):
            symbols.load(namesIn(value))
            store(target, &symbols)
        case .assignBlock(let target, _, _, _): store(target, &symbols)
        case .conditional(let branches, let otherwise):
            visitConditional(branches[...], otherwise, &symbols)
        case .loop(let loop): symbols.load(namesIn(loop.source))
        case .macro(let macro): if let name = macro.name { symbols.store(name) }
        case .callBlock(_, let callee, _): symbols.load(namesIn(callee))
        case .filterBlock(let filter, _, _): symbols.load(namesIn(filter))
        case .with(let pairs, _, _): for pair in pairs { symbols.load(namesIn(pair.value)) }
        }
    }

    /// Each branch starts from the names before it; what any of them assigns may come from
    /// outside afterwards.
    private func visitConditional(
        _ branches: ArraySlice<(test: Expression, body: [Statement], line: Int)>,
        _ otherwise: [Statement], _ symbols: inout Symbols
    ) {
        guard let first = branches.first else { return }
        symbols.load(namesIn(first.test))
        var (body, others, last) = (symbols, symbols, symbols)
        visit(first.body, &body)
        for branch in branches.dropFirst() { visitConditional([branch], [], &others) }
        visit(otherwise, &last)
        symbols.merge([body, others, last])
    }

    private func store(_ target: Target, _ symbols: inout Symbols) {
        switch target {
        case .name(let name): symbols.store(name)
        case .attribute(let name, _): symbols.load([name])
        case .tuple(let targets): for target in targets { store(target, &symbols) }
        }
    }

    private func declare(_ target: Target, _ symbols: inout Symbols) {
        switch target {
        case .name(let name): symbols.declare(name)
        case .attribute: break
        case .tuple(let targets): for target in targets { declare(target, &symbols) }
        }
    }

    private func namesIn(_ expression: Expression) -> [NameID] {
        var result: [NameID] = []
        expression.forEach { if case .name(let name) = $0 { result.append(name) } }
        return result
    }

    // MARK: - The scopes inside

    /// - Parameter isSoft: whether the statements are in an `if` of the same scope, where an
    ///   unknown filter is an error only when it is reached.
    private mutating func enter(
        _ statements: [Statement], _ parent: ParentSymbols, isSoft: Bool
    ) throws {
        for statement in statements { try enter(statement, parent, isSoft) }
    }

    private mutating func enter(
        _ statement: Statement, _ parent: ParentSymbols, _ isSoft: Bool
    ) throws {
        switch statement {
        case .text, .breakLoop, .continueLoop: break
        case .output(let value, _), .assign(_, let value, _):
            try KnownNames.check(value, isSoft: isSoft)
        case .conditional(let branches, let otherwise):
            for branch in branches {
                try KnownNames.check(branch.test, isSoft: true)
                try enter(branch.body, parent, isSoft: true)
            }
            try enter(otherwise, parent, isSoft: true)
        case .assignBlock(_, let filter, let block, _):
            try enterBlock(block, filter, parent)
        case .filterBlock(let filter, let block, _): try enterBlock(block, filter, parent)
        case .loop(let loop): try enterLoop(loop, parent, isSoft)
        case .macro(let macro): try enterMacro(macro, parent)
        case .callBlock(let macro, let callee, _):
            try KnownNames.check(callee, isSoft: isSoft)
            try enterMacro(macro, parent)
        case .with(let pairs, let block, _):
            var symbols = Symbols(parent: parent)
            for pair in pairs {
                try KnownNames.check(pair.value, isSoft: isSoft)
                declare(pair.target, &symbols)
            }
            try analyze(block, symbols)
        case .generation(let block): try analyze(block, Symbols(parent: parent))
        }
    }

    private mutating func enterBlock(
        _ block: Block, _ filter: Expression?, _ parent: ParentSymbols
    ) throws {
        var symbols = Symbols(parent: parent)
        if let filter {
            try KnownNames.check(filter, isSoft: false)
            symbols.load(namesIn(filter))
        }
        try analyze(block, symbols)
    }

    private mutating func enterLoop(
        _ loop: Loop, _ parent: ParentSymbols, _ isSoft: Bool
    ) throws {
        try KnownNames.check(loop.source, isSoft: isSoft)
        var symbols = Symbols(parent: parent)
        let usesLoop = loop.isRecursive || uses(names.loop, loop.body.body)
        if usesLoop { symbols.declare(names.loop) }
        declare(loop.target, &symbols)
        try analyze(loop.body, symbols)
        plans[loop.body.scope].usesLoop = usesLoop
        try analyze(loop.otherwise, Symbols(parent: parent))
        var test = Symbols(parent: parent)
        declare(loop.target, &test)
        if let condition = loop.test {
            try KnownNames.check(condition, isSoft: false)
            test.load(namesIn(condition))
        }
        plans[loop.testScope] = test.plan
    }

    private mutating func enterMacro(_ macro: MacroDefinition, _ parent: ParentSymbols) throws {
        var symbols = Symbols(parent: parent)
        for parameter in macro.parameters { symbols.declare(parameter) }
        for value in macro.defaults {
            try KnownNames.check(value, isSoft: false)
            symbols.load(namesIn(value))
        }
        let special = [names.caller, names.kwargs, names.varargs].map { name in
            !macro.parameters.contains(name) && uses(name, macro.body.body)
        }
        for (name, isUsed) in zip([names.caller, names.kwargs, names.varargs], special)
        where isUsed {
            symbols.declare(name)
        }
        try analyze(macro.body, symbols)
        plans[macro.body.scope].usesCaller = special[0]
        plans[macro.body.scope].usesKwargs = special[1]
        plans[macro.body.scope].usesVarargs = special[2]
    }

    /// Whether the name is read anywhere in the statements, inner blocks included.
    private func uses(_ name: NameID, _ statements: [Statement]) -> Bool {
        statements.contains { statement in
            statement.expressions.contains { namesIn($0).contains(name) }
                || statement.blocks.contains { uses(name, $0) }
        }
    }
}

/// The finished symbols of an enclosing scope.
private final class ParentSymbols {
    let symbols: Symbols

    init(_ symbols: Symbols) { self.symbols = symbols }

    func holds(_ name: NameID) -> Bool {
        symbols.sources[name] != nil || symbols.parent?.holds(name) == true
    }
}

/// The names of a scope while its statements are read in order.
private struct Symbols {
    let parent: ParentSymbols?
    private(set) var sources: [NameID: ScopePlan.Source] = [:]
    private var stored: Set<NameID> = []

    init(parent: ParentSymbols?) { self.parent = parent }

    var plan: ScopePlan {
        let names = sources.keys.sorted()
        return ScopePlan(names: names, sources: names.compactMap { sources[$0] })
    }

    private func isOuter(_ name: NameID) -> Bool { parent?.holds(name) == true }

    mutating func declare(_ name: NameID) {
        stored.insert(name)
        sources[name] = .parameter
    }

    mutating func load(_ names: [NameID]) {
        for name in names where sources[name] == nil && !isOuter(name) {
            sources[name] = .context
        }
    }

    mutating func store(_ name: NameID) {
        stored.insert(name)
        if sources[name] == nil { sources[name] = isOuter(name) ? .outer : .undefined }
    }

    /// Takes over the names of alternative branches that all started from this.
    mutating func merge(_ branches: [Symbols]) {
        let assigned = branches.reduce(into: Set<NameID>()) { $0.formUnion($1.stored) }
            .subtracting(stored)
        for branch in branches {
            sources.merge(branch.sources) { $1 }
            stored.formUnion(branch.stored)
        }
        for name in assigned { sources[name] = isOuter(name) ? .outer : .context }
    }
}
