extension Expression {
    /// Calls `visit` with the expression and all inside it, each before its parts.
    func forEach(_ visit: (Expression) -> Void) {
        visit(self)
        for part in parts { part.forEach(visit) }
    }

    /// The expressions directly inside.
    var parts: [Expression] {
        switch self {
        case .literal, .name: []
        case .list(let items), .tuple(let items), .concatenation(let items): items
        case .dictionary(let pairs): pairs.flatMap { [$0.key, $0.value] }
        case .negative(let part), .positive(let part), .not(let part), .attribute(let part, _):
            [part]
        case .and(let left, let right), .or(let left, let right), .item(let left, let right),
            .arithmetic(_, let left, let right):
            [left, right]
        case .comparison(let left, let operations): [left] + operations.map(\.right)
        case .conditional(let test, let then, let otherwise, _):
            [test, then] + (otherwise.map { [$0] } ?? [])
        case .slice(let object, let start, let stop, let step):
            [object] + [start, stop, step].compactMap { $0 }
        case .call(let callee, let arguments, _): [callee] + arguments.all
        case .filter(let value, _, let arguments, _): (value.map { [$0] } ?? []) + arguments.all
        case .test(let value, _, let arguments, _): [value] + arguments.all
        }
    }
}

extension Statement {
    /// The expressions directly inside.
    var expressions: [Expression] {
        switch self {
        case .text, .breakLoop, .continueLoop, .generation: []
        case .output(let value, _), .assign(_, let value, _): [value]
        case .assignBlock(_, let filter, _, _): filter.map { [$0] } ?? []
        case .conditional(let branches, _): branches.map(\.test)
        case .loop(let loop): [loop.source] + (loop.test.map { [$0] } ?? [])
        case .macro(let macro): macro.defaults
        case .callBlock(let macro, let callee, _): macro.defaults + [callee]
        case .filterBlock(let filter, _, _): [filter]
        case .with(let pairs, _, _): pairs.map(\.value)
        }
    }

    /// The lists of statements directly inside.
    var blocks: [[Statement]] {
        switch self {
        case .text, .breakLoop, .continueLoop, .output, .assign: []
        case .assignBlock(_, _, let block, _), .filterBlock(_, let block, _),
            .with(_, let block, _), .generation(let block):
            [block.body]
        case .conditional(let branches, let otherwise): branches.map(\.body) + [otherwise]
        case .loop(let loop): [loop.body.body, loop.otherwise.body]
        case .macro(let macro), .callBlock(let macro, _, _): [macro.body.body]
        }
    }
}

/// Refuses filters and tests that do not exist.
enum KnownNames {
    /// - Parameter isSoft: whether only reaching the name is an error, as in an `if`.
    static func check(_ expression: Expression, isSoft: Bool) throws {
        if isSoft { return }
        switch expression {
        case .filter(_, let name, _, let line) where !Filters.exists(name):
            throw Failure(.assertion, "No filter named '\(name)'.", line: line)
        case .test(_, let name, _, let line) where Predicates.all[name] == nil:
            throw Failure(.assertion, "No test named '\(name)'.", line: line)
        case .conditional: return
        default: for part in expression.parts { try check(part, isSoft: false) }
        }
    }
}
