/// Renders one program once.
///
/// A class, since values such as generators and macros call back into it; used by one thread.
final class Interpreter {
    enum Flow {
        case next
        case breakLoop
        case continueLoop
    }

    let program: Program
    let now: CivilTime
    /// The line being executed, for messages.
    var line = 1
    private var context: [NameID: Value] = [:]
    private var output = ""
    private var work = 0
    var depth = 0
    var macroDepth = 0
    /// Everything that can be part of a cycle of references; emptied at the end.
    private var scopes: [Scope] = []
    private var namespaces: [Namespace] = []

    init(_ program: Program, _ values: TemplateObject, now: CivilTime) throws {
        self.program = program
        self.now = now
        let given = ValueDictionary(
            pairs: zip(values.keys, values.values).map { (.string($0), Value($1)) })
        try Self.checkDepth(.dictionary(given))
        for (id, name) in program.names.enumerated() {
            context[id] = given[name] ?? Globals.value(name)
        }
    }

    /// The rendered text.
    func render() throws -> String {
        defer { dissolve() }
        _ = try execute(program.body, in: nil)
        return output
    }

    /// Breaks cycles of references, such as a macro in the scope that it sees.
    private func dissolve() {
        for scope in scopes { scope.values = [] }
        for namespace in namespaces { namespace.attributes = ValueDictionary() }
    }

    func register(_ namespace: Namespace) { namespaces.append(namespace) }

    func register(_ scope: Scope) {
        if !scope.isRegistered { scopes.append(scope) }
        scope.isRegistered = true
    }

    // MARK: - Limits

    /// Counts work done; see ``TemplateLimits/work``.
    func charge(_ units: Int) throws {
        work += units
        guard work <= TemplateLimits.work else {
            throw Failure(.limit, "Rendering takes more than \(TemplateLimits.work) steps.")
        }
    }

    /// Counts the making of a text and refuses one that is too long.
    func charge(_ text: String) throws -> String {
        try charge(1 + text.utf8.count / 16)
        try checkText(text)
        return text
    }

    func checkText(_ text: String) throws { try checkText(bytes: text.utf8.count) }

    /// Refuses a text of so many bytes before it is made.
    func checkText(bytes: Int) throws {
        guard bytes <= TemplateLimits.outputBytes else {
            throw Failure(.limit, "A text of more than \(TemplateLimits.outputBytes) bytes.")
        }
    }

    /// Counts the making of a list and refuses one that is too long.
    func charge(items: Int) throws {
        try charge(items)
        guard items <= TemplateLimits.listItems else {
            throw Failure(.limit, "A list of more than \(TemplateLimits.listItems) items.")
        }
    }

    static func checkDepth(_ value: Value) throws {
        guard value.depth <= TemplateLimits.valueDepth else {
            throw Failure(.limit, "A value of more than \(TemplateLimits.valueDepth) levels.")
        }
    }

    func descend() throws {
        depth += 1
        guard depth <= TemplateLimits.evaluationDepth else {
            throw Failure(
                .limit, "More than \(TemplateLimits.evaluationDepth) evaluations in each other.")
        }
    }

    // MARK: - Scopes and output

    /// Makes the scope of a block inside `parent`.
    func enter(_ index: Int, in parent: Scope?) -> Scope {
        let scope = Scope(program.scopes[index], parent)
        for (slot, source) in scope.plan.sources.enumerated() {
            let name = scope.plan.names[slot]
            switch source {
            case .parameter, .undefined: break
            case .context: scope.values[slot] = context[name]
            case .outer: scope.values[slot] = parent?.value(name)
            }
        }
        return scope
    }

    func write(_ text: String) throws {
        try charge(1 + text.utf8.count / 16)
        output += text
        try checkText(output)
    }

    /// The text that `body` writes.
    func capture(_ body: () throws -> Void) throws -> String {
        let outer = output
        output = ""
        defer { output = outer }
        try body()
        return output
    }

    // MARK: - Statements

    private func execute(_ block: Block, in parent: Scope?) throws -> Flow {
        try execute(block.body, in: enter(block.scope, in: parent))
    }

    func execute(_ statements: [Statement], in scope: Scope) throws -> Flow {
        for statement in statements {
            let flow = try execute(statement, in: scope)
            if flow != .next { return flow }
        }
        return .next
    }

    private func execute(_ statement: Statement, in scope: Scope) throws -> Flow {
        try charge(1)
        switch statement {
        case .text(let text): try write(text)
        case .output(let value, let line):
            self.line = line
            try write(try evaluate(value, scope).string(self))
        case .assign(let target, let value, let line):
            self.line = line
            try assign(try evaluate(value, scope), to: target, in: scope)
        case .conditional(let branches, let otherwise):
            return try choose(branches, otherwise, in: scope)
        case .loop(let loop): try run(loop, in: scope)
        case .macro(let definition): define(definition, in: scope)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        case .assignBlock, .callBlock, .filterBlock, .with, .generation:
            return try executeBlock(statement, in: scope)
        }
        return .next
    }

    private func executeBlock(_ statement: Statement, in scope: Scope) throws -> Flow {
        try descend()
        defer { depth -= 1 }
        switch statement {
        case .assignBlock(let target, let filter, let block, let line):
            return try filtered(block, filter, line, in: scope) { value in
                try self.assign(value, to: target, in: scope)
            }
        case .filterBlock(let filter, let block, let line):
            return try filtered(block, filter, line, in: scope) { value in
                try self.write(try value.string(self))
            }
        case .callBlock(let body, let callee, let line):
            self.line = line
            let caller = Value.macro(Macro(body, scope))
            register(scope)
            try write(try evaluateCall(callee, scope, caller: caller).string(self))
            return .next
        case .with(let pairs, let block, let line):
            self.line = line
            let inner = enter(block.scope, in: scope)
            for pair in pairs {
                try assign(try evaluate(pair.value, scope), to: pair.target, in: inner)
            }
            return try execute(block.body, in: inner)
        case .generation(let block): return try execute(block, in: scope)
        default: preconditionFailure("Only statements with a block of their own come here.")
        }
    }

    /// Passes on the text of a block, filtered, unless the block leaves the loop around it.
    private func filtered(
        _ block: Block, _ filter: Expression?, _ line: Int, in scope: Scope,
        _ use: (Value) throws -> Void
    ) throws -> Flow {
        let inner = enter(block.scope, in: scope)
        var flow = Flow.next
        let text = try capture { flow = try execute(block.body, in: inner) }
        guard flow == .next else { return flow }
        self.line = line
        let value = try filter.map { try evaluateFilter($0, inner, text: text) } ?? .string(text)
        try use(value)
        return .next
    }

    private func choose(
        _ branches: [(test: Expression, body: [Statement], line: Int)],
        _ otherwise: [Statement], in scope: Scope
    ) throws -> Flow {
        try descend()
        defer { depth -= 1 }
        for branch in branches {
            line = branch.line
            if try evaluate(branch.test, scope).isTrue {
                return try execute(branch.body, in: scope)
            }
        }
        return try execute(otherwise, in: scope)
    }

    private func define(_ definition: MacroDefinition, in scope: Scope) {
        guard let id = definition.name else { return }
        let macro = Macro(definition, scope, name: program.names[id])
        register(scope)
        scope.set(id, .macro(macro))
    }

    func assign(_ value: Value, to target: Target, in scope: Scope) throws {
        switch target {
        case .name(let name): scope.set(name, value)
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace)? = scope.value(name) else {
                throw Failure(.runtime, "cannot assign attribute on non-namespace object")
            }
            try Globals.checkName(attribute)
            namespace.attributes[.string(attribute)] = value
        case .tuple(let targets):
            let items = try sequence(value)
            guard items.count == targets.count else {
                let problem =
                    items.count > targets.count
                    ? "too many values to unpack (expected \(targets.count))"
                    : "not enough values to unpack (expected \(targets.count), got \(items.count))"
                throw Failure(.value, problem)
            }
            for (target, item) in zip(targets, items) { try assign(item, to: target, in: scope) }
        }
    }
}

/// The names of a block while it is executed.
final class Scope {
    let plan: ScopePlan
    let parent: Scope?
    /// In the order of the plan's names; nil where not defined.
    var values: [Value?]
    fileprivate var isRegistered = false

    init(_ plan: ScopePlan, _ parent: Scope?) {
        self.plan = plan
        self.parent = parent
        values = Array(repeating: nil, count: plan.names.count)
    }

    /// The value of a name here or in the closest scope around that holds it.
    func value(_ name: NameID) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let slot = current.plan.names.firstIndex(of: name) { return current.values[slot] }
            scope = current.parent
        }
        return nil
    }

    func set(_ name: NameID, _ value: Value) {
        guard let slot = plan.names.firstIndex(of: name) else {
            preconditionFailure("The analysis gave every assigned name a place in its scope.")
        }
        values[slot] = value
    }
}
