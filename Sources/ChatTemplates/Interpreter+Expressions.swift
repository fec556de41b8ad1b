extension Interpreter {
    /// Runs something that recurses, within the limit on depth.
    func nested<T>(_ body: () throws -> T) throws -> T {
        try descend()
        defer { depth -= 1 }
        return try body()
    }

    /// The value of an expression.
    func evaluate(_ expression: Expression, _ scope: Scope) throws -> Value {
        try charge(1)
        switch expression {
        case .literal(let value): return Value(value)
        case .name(let name): return lookUp(name, scope)
        default: break
        }
        try descend()
        defer { depth -= 1 }
        switch expression {
        case .attribute(let object, let name):
            return try attribute(name, of: try evaluate(object, scope))
        case .item(let object, let key):
            return try item(try evaluate(key, scope), of: try evaluate(object, scope))
        case .and(let left, let right):
            let value = try evaluate(left, scope)
            return value.isTrue ? try evaluate(right, scope) : value
        case .or(let left, let right):
            let value = try evaluate(left, scope)
            return value.isTrue ? value : try evaluate(right, scope)
        case .not(let value): return .bool(!(try evaluate(value, scope).isTrue))
        case .comparison(let left, let operations): return try compare(left, operations, scope)
        case .conditional(let test, let then, let otherwise, let line):
            return try choose(test, then, otherwise, line, scope)
        case .arithmetic(let symbol, let left, let right):
            let left = try evaluate(left, scope)
            return try Arithmetic.apply(symbol, left, try evaluate(right, scope), self)
        case .negative(let value): return try Arithmetic.negative(try evaluate(value, scope))
        case .positive(let value): return try Arithmetic.positive(try evaluate(value, scope))
        case .concatenation(let parts): return try concatenate(parts, scope)
        case .call: return try evaluateCall(expression, scope, caller: nil)
        case .filter: return try evaluateFilter(expression, scope, text: nil)
        case .test(let value, let name, let arguments, let line):
            return try evaluateTest(value, name, arguments, line, scope)
        default: return try evaluateContainer(expression, scope)
        }
    }

    private func lookUp(_ name: NameID, _ scope: Scope) -> Value {
        scope.value(name) ?? .undefined(Undefined("'\(program.names[name])' is undefined"))
    }

    private func evaluateContainer(_ expression: Expression, _ scope: Scope) throws -> Value {
        let result: Value
        switch expression {
        case .list(let items): result = .list(try items.map { try evaluate($0, scope) })
        case .tuple(let items): result = .tuple(try items.map { try evaluate($0, scope) })
        case .dictionary(let pairs):
            var dictionary = ValueDictionary()
            for pair in pairs {
                let key = try evaluate(pair.key, scope)
                try key.checkHashable(self)
                dictionary[key] = try evaluate(pair.value, scope)
            }
            result = .dictionary(dictionary)
        case .slice(let object, let start, let stop, let step):
            let object = try evaluate(object, scope)
            let bounds = try [start, stop, step].map { bound in
                try bound.map { try evaluate($0, scope) }
            }
            return try Slicing.slice(object, bounds, self)
        default: preconditionFailure("All other expressions are evaluated elsewhere.")
        }
        try Self.checkDepth(result)
        return result
    }

    private func choose(
        _ test: Expression, _ then: Expression, _ otherwise: Expression?, _ line: Int,
        _ scope: Scope
    ) throws -> Value {
        if try evaluate(test, scope).isTrue { return try evaluate(then, scope) }
        if let otherwise { return try evaluate(otherwise, scope) }
        return .undefined(
            Undefined(
                "the inline if-expression on line \(line) evaluated to false and no else section "
                    + "was defined."))
    }

    private func concatenate(_ parts: [Expression], _ scope: Scope) throws -> Value {
        var text = ""
        for part in parts { text += try evaluate(part, scope).string(self) }
        return .string(try charge(text))
    }

    private func compare(
        _ left: Expression, _ operations: [(symbol: ComparisonOperator, right: Expression)],
        _ scope: Scope
    ) throws -> Value {
        var left = try evaluate(left, scope)
        for operation in operations {
            let right = try evaluate(operation.right, scope)
            guard try compare(left, operation.symbol, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    /// Whether a comparison of two values holds.
    func compare(
        _ left: Value, _ comparison: ComparisonOperator, _ right: Value
    ) throws -> Bool {
        try charge(min(left.weight, right.weight))
        switch comparison {
        case .equal: return left.equals(right)
        case .notEqual: return !left.equals(right)
        case .less: return try left.isLess(right)
        case .lessOrEqual: return try left.isLessOrEqual(right)
        case .greater: return try left.isGreater(right)
        case .greaterOrEqual: return try left.isGreaterOrEqual(right)
        case .isIn: return try contains(left, in: right)
        case .isNotIn: return !(try contains(left, in: right))
        }
    }

    // MARK: - Calls

    /// The value of a call; `caller` is the body of a call block.
    func evaluateCall(_ expression: Expression, _ scope: Scope, caller: Value?) throws -> Value {
        guard case .call(let callee, let written, let line) = expression else {
            preconditionFailure("The parser makes call blocks of calls only.")
        }
        let function = try evaluate(callee, scope)
        var arguments = try evaluate(written, scope)
        if let caller { arguments.keyword.append(("caller", caller)) }
        self.line = line
        let result = try call(function, arguments)
        try Self.checkDepth(result)
        return result
    }

    func call(_ function: Value, _ arguments: Arguments) throws -> Value {
        switch function {
        case .macro(let macro): return .string(try macro.call(arguments, self))
        case .function(let function): return try function.body(self, arguments)
        case .loop(let loop):
            guard let recurse = loop.recurse else {
                throw Failure(
                    .type,
                    "The loop must have the 'recursive' marker to be called recursively.")
            }
            return try recurse.body(self, arguments)
        case .undefined(let undefined): throw undefined.failure
        default: throw Failure(.type, "'\(function.typeName)' object is not callable")
        }
    }

    func evaluate(_ written: CallArguments, _ scope: Scope) throws -> Arguments {
        var arguments = Arguments()
        for value in written.positional { arguments.positional.append(try evaluate(value, scope)) }
        for (name, value) in written.keyword {
            arguments.keyword.append((name, try evaluate(value, scope)))
        }
        if let rest = written.rest {
            arguments.positional += try sequence(try evaluate(rest, scope))
        }
        if let rest = written.keywordRest { try append(try evaluate(rest, scope), to: &arguments) }
        return arguments
    }

    private func append(_ rest: Value, to arguments: inout Arguments) throws {
        guard case .dictionary(let dictionary) = rest else {
            throw Failure(.type, "argument after ** must be a mapping, not \(rest.typeName)")
        }
        for (key, value) in zip(dictionary.keys, dictionary.values) {
            guard let name = key.text else { throw Failure(.type, "keywords must be strings") }
            guard !arguments.keyword.contains(where: { $0.name.isExactly(name) }) else {
                throw Failure(.type, "got multiple values for keyword argument '\(name)'")
            }
            arguments.keyword.append((name, value))
        }
    }

    /// The value of a filter; `text` is that of the block for a filter without a value.
    func evaluateFilter(_ expression: Expression, _ scope: Scope, text: String?) throws -> Value {
        guard case .filter(let written, let name, let arguments, let line) = expression else {
            return try evaluate(expression, scope)
        }
        let value: Value
        if let written {
            value = try evaluateFilter(written, scope, text: text)
        } else {
            value = .string(text ?? "")
        }
        let evaluated = try evaluate(arguments, scope)
        self.line = line
        return try filter(name, value, evaluated)
    }

    /// Applies a filter by name.
    func filter(_ name: String, _ value: Value, _ arguments: Arguments) throws -> Value {
        let result = try Filters.apply(name, value, arguments, self)
        try Self.checkDepth(result)
        return result
    }

    private func evaluateTest(
        _ written: Expression, _ name: String, _ arguments: CallArguments, _ line: Int,
        _ scope: Scope
    ) throws -> Value {
        let value = try evaluate(written, scope)
        let evaluated = try evaluate(arguments, scope)
        self.line = line
        return .bool(try test(name, value, evaluated))
    }

    /// Applies a test by name.
    func test(_ name: String, _ value: Value, _ arguments: Arguments) throws -> Bool {
        guard let predicate = Predicates.all[name] else {
            throw Failure(.runtime, "No test named '\(name)' found.")
        }
        return try predicate(self, value, arguments)
    }
}
