extension Parser {
    /// An expression, or several with commas between them, which make a tuple.
    ///
    /// - Parameter end: a name that ends the tuple.
    mutating func tuple(
        allowsConditional: Bool = true, end: String? = nil, isInParentheses: Bool = false
    ) throws -> Expression {
        var items: [Expression] = []
        var isTuple = false
        while true {
            if isTupleEnd(end) { break }
            items.append(try expression(allowsConditional: allowsConditional))
            guard skip(symbol: ",") else { break }
            isTuple = true
        }
        if !isTuple, let item = items.first { return item }
        guard isTuple || isInParentheses else {
            throw failure("Expected an expression, got '\(current.description)'")
        }
        return .tuple(items)
    }

    private func isTupleEnd(_ end: String?) -> Bool {
        current.kind == .variableEnd || current.kind == .blockEnd || current.isSymbol(")")
            || end.map(current.isName) == true
    }

    mutating func expression(allowsConditional: Bool = true) throws -> Expression {
        try descend()
        defer { depth -= 1 }
        return allowsConditional ? try conditional() : try or()
    }

    private mutating func conditional() throws -> Expression {
        var result = try or()
        var height = Height()
        while current.isName("if") {
            let line = advance().line
            try height.grow(line)
            let test = try or()
            let otherwise = skip(name: "else") ? try expression() : nil
            result = .conditional(test: test, then: result, otherwise: otherwise, line: line)
        }
        return result
    }

    private mutating func or() throws -> Expression {
        var left = try and()
        var height = Height()
        while skip(name: "or") {
            try height.grow(current.line)
            left = .or(left, try and())
        }
        return left
    }

    private mutating func and() throws -> Expression {
        var left = try not()
        var height = Height()
        while skip(name: "and") {
            try height.grow(current.line)
            left = .and(left, try not())
        }
        return left
    }

    private mutating func not() throws -> Expression {
        guard skip(name: "not") else { return try comparison() }
        try descend()
        defer { depth -= 1 }
        return .not(try not())
    }

    private mutating func comparison() throws -> Expression {
        let left = try sum()
        var operations: [(symbol: ComparisonOperator, right: Expression)] = []
        while let comparison = skipComparison() { operations.append((comparison, try sum())) }
        return operations.isEmpty ? left : .comparison(left, operations)
    }

    private mutating func skipComparison() -> ComparisonOperator? {
        if current.kind == .symbol, let comparison = ComparisonOperator(rawValue: current.text) {
            position += 1
            return comparison
        }
        if skip(name: "in") { return .isIn }
        guard current.isName("not"), next.isName("in") else { return nil }
        position += 2
        return .isNotIn
    }

    /// Operators of one level of precedence, from left to right.
    private mutating func operations(
        _ operators: [ArithmeticOperator], _ operand: (inout Parser) throws -> Expression
    ) throws -> Expression {
        var left = try operand(&self)
        var height = Height()
        while current.kind == .symbol,
            let arithmetic = operators.first(where: { current.text == $0.rawValue })
        {
            try height.grow(advance().line)
            left = .arithmetic(arithmetic, left, try operand(&self))
        }
        return left
    }

    private mutating func sum() throws -> Expression {
        try operations([.add, .subtract]) { try $0.concatenation() }
    }

    private mutating func concatenation() throws -> Expression {
        var parts = [try product()]
        while skip(symbol: "~") { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : .concatenation(parts)
    }

    private mutating func product() throws -> Expression {
        try operations([.multiply, .divide, .floorDivide, .modulo]) { try $0.power() }
    }

    private mutating func power() throws -> Expression {
        try operations([.power]) { try $0.unary() }
    }

    private mutating func unary(allowsFilter: Bool = true) throws -> Expression {
        var result: Expression
        if current.isSymbol("-") || current.isSymbol("+") {
            let sign = advance()
            try descend()
            defer { depth -= 1 }
            let operand = try unary(allowsFilter: false)
            result = sign.text == "-" ? .negative(operand) : .positive(operand)
        } else {
            result = try primary()
        }
        result = try postfix(result)
        return allowsFilter ? try filtersAndTests(of: result) : result
    }

    // MARK: - Primary expressions

    private mutating func primary() throws -> Expression {
        let token = advance()
        switch token.kind {
        case .name: return named(token.text)
        case .string:
            var text = token.text
            while current.kind == .string { text += advance().text }
            return .literal(.string(text))
        case .integer: return .literal(.int(try integer(token)))
        case .float: return .literal(.double(Double(token.text) ?? .nan))
        case .symbol where token.text == "(":
            try descend()
            defer { depth -= 1 }
            let result = try tuple(isInParentheses: true)
            try expect(symbol: ")")
            return result
        case .symbol where token.text == "[": return .list(try listItems())
        case .symbol where token.text == "{": return .dictionary(try pairs())
        default:
            if token.kind == .end { throw failure("unexpected end of template", line: token.line) }
            throw failure("unexpected '\(token.description)'", line: token.line)
        }
    }

    private mutating func named(_ name: String) -> Expression {
        switch name {
        case "true", "True": .literal(.bool(true))
        case "false", "False": .literal(.bool(false))
        case "none", "None": .literal(.null)
        default: .name(id(name))
        }
    }

    private func integer(_ token: Token) throws -> Int {
        let text = token.text.lowercased()
        let radix =
            text.hasPrefix("0x") ? 16 : text.hasPrefix("0o") ? 8 : text.hasPrefix("0b") ? 2 : 10
        guard let value = Int(radix == 10 ? text : String(text.dropFirst(2)), radix: radix) else {
            throw Failure(.overflow, "The integer \(text) has more than 64 bits.", line: token.line)
        }
        return value
    }

    private mutating func listItems() throws -> [Expression] {
        var items: [Expression] = []
        while !current.isSymbol("]") {
            if !items.isEmpty { try expect(symbol: ",") }
            if current.isSymbol("]") { break }
            items.append(try expression())
        }
        try expect(symbol: "]")
        return items
    }

    private mutating func pairs() throws -> [(key: Expression, value: Expression)] {
        var result: [(key: Expression, value: Expression)] = []
        while !current.isSymbol("}") {
            if !result.isEmpty { try expect(symbol: ",") }
            if current.isSymbol("}") { break }
            let key = try expression()
            try expect(symbol: ":")
            result.append((key, try expression()))
        }
        try expect(symbol: "}")
        return result
    }

    // MARK: - What follows an expression

    private mutating func postfix(_ expression: Expression) throws -> Expression {
        var result = expression
        var height = Height()
        while current.isSymbol(".") || current.isSymbol("[") || current.isSymbol("(") {
            try height.grow(current.line)
            result = try current.isSymbol("(") ? call(result) : subscripted(result)
        }
        return result
    }

    private mutating func filtersAndTests(of expression: Expression) throws -> Expression {
        var result = expression
        var height = Height()
        while true {
            try height.grow(current.line)
            if current.isSymbol("|") {
                result = try filters(of: result) ?? result
            } else if current.isName("is") {
                result = try test(result)
            } else if current.isSymbol("(") {
                result = try call(result)
            } else {
                return result
            }
        }
    }

    private mutating func subscripted(_ object: Expression) throws -> Expression {
        if skip(symbol: ".") {
            let token = advance()
            if token.kind == .integer { return .item(object, .literal(.int(try integer(token)))) }
            guard token.kind == .name else {
                throw failure("expected name or number", line: token.line)
            }
            return .attribute(object, token.text)
        }
        try expect(symbol: "[")
        let result = try bracketed(object)
        try expect(symbol: "]")
        return result
    }

    private mutating func bracketed(_ object: Expression) throws -> Expression {
        var keys: [Expression] = []
        while !current.isSymbol("]") {
            if !keys.isEmpty { try expect(symbol: ",") }
            let start = current.isSymbol(":") ? nil : try expression()
            if skip(symbol: ":") {
                guard keys.isEmpty else { throw failure("a slice in a tuple is not supported") }
                return try slice(object, start)
            }
            if let start { keys.append(start) }
        }
        return .item(object, keys.count == 1 ? keys[0] : .tuple(keys))
    }

    private mutating func slice(_ object: Expression, _ start: Expression?) throws -> Expression {
        let ends = current.isSymbol(":") || current.isSymbol("]")
        let stop = ends ? nil : try expression()
        var step: Expression?
        if skip(symbol: ":"), !current.isSymbol("]") { step = try expression() }
        return .slice(object, start: start, stop: stop, step: step)
    }

    private mutating func call(_ callee: Expression) throws -> Expression {
        let line = current.line
        return .call(callee, try arguments(), line: line)
    }

    private mutating func arguments() throws -> CallArguments {
        let line = current.line
        try expect(symbol: "(")
        var result = CallArguments()
        var isFirst = true
        while !current.isSymbol(")") {
            if !isFirst { try expect(symbol: ",") }
            if current.isSymbol(")") { break }
            isFirst = false
            guard try argument(&result) else {
                throw failure("invalid syntax for function call expression", line: line)
            }
        }
        try expect(symbol: ")")
        return result
    }

    /// Reads one argument; returns whether it may stand after those before it.
    private mutating func argument(_ arguments: inout CallArguments) throws -> Bool {
        let hasRest = arguments.rest != nil || arguments.keywordRest != nil
        if skip(symbol: "*") {
            arguments.rest = try expression()
            return !hasRest
        }
        if skip(symbol: "**") {
            let isFirst = arguments.keywordRest == nil
            arguments.keywordRest = try expression()
            return isFirst
        }
        if current.kind == .name, next.isSymbol("=") {
            let name = advance().text
            position += 1
            guard !arguments.keyword.contains(where: { $0.name == name }) else {
                throw failure("keyword argument repeated: \(name)")
            }
            arguments.keyword.append((name, try expression()))
            return arguments.keywordRest == nil
        }
        arguments.positional.append(try expression())
        return !hasRest && arguments.keyword.isEmpty
    }

    /// Filters after `|`; nil when there are none and there is no value.
    mutating func filters(of value: Expression?, startsInline: Bool = false) throws -> Expression? {
        var result = value
        var isInline = startsInline
        var height = Height()
        while isInline || skip(symbol: "|") {
            isInline = false
            try height.grow(current.line)
            let line = current.line
            let name = try dottedName()
            let arguments = current.isSymbol("(") ? try arguments() : CallArguments()
            result = .filter(result, name: name, arguments, line: line)
        }
        return result
    }

    private mutating func dottedName() throws -> String {
        var name = try name()
        while skip(symbol: ".") { name += "." + (try self.name()) }
        return name
    }

    private mutating func test(_ value: Expression) throws -> Expression {
        let line = advance().line
        let isNegated = skip(name: "not")
        let name = try dottedName()
        var arguments = CallArguments()
        if current.isSymbol("(") {
            arguments = try self.arguments()
        } else if startsTestArgument {
            if current.isName("is") { throw failure("You cannot chain multiple tests with is") }
            let argument = try primary()
            arguments.positional = [try postfix(argument)]
        }
        let result = Expression.test(value, name: name, arguments, line: line)
        return isNegated ? .not(result) : result
    }

    private var startsTestArgument: Bool {
        switch current.kind {
        case .name: !["else", "or", "and"].contains(current.text)
        case .string, .integer, .float: true
        case .symbol: current.text == "[" || current.text == "{"
        default: false
        }
    }
}

/// Counts how high an expression grows where the parser loops instead of recursing; the
/// interpreter recurses on it.
private struct Height {
    private var height = 0

    mutating func grow(_ line: Int) throws {
        height += 1
        guard height <= TemplateLimits.chain else {
            throw Failure(
                .limit, "An expression of more than \(TemplateLimits.chain) parts in a row.",
                line: line)
        }
    }
}
