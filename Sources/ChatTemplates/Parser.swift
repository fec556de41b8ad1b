/// Makes a syntax tree of tokens; statements here, expressions in `Parser+Expressions.swift`.
struct Parser {
    var tokens: [Token]
    var position = 0
    /// Brackets and blocks inside each other at this point.
    var depth = 0
    /// Loops around this point within the same macro; `break` needs one.
    private var loops = 0
    private var names: [String] = []
    private var nameIDs: [String: NameID] = [:]
    private var scopeCount = 0

    static func program(of source: String) throws -> Program {
        guard source.utf8.count <= TemplateLimits.sourceBytes else {
            throw Failure(
                .limit, "The template has more than \(TemplateLimits.sourceBytes) bytes.", line: 1)
        }
        var parser = Parser(tokens: try Lexer.tokens(of: source))
        let scope = parser.newScope()
        let body = try parser.statements(until: [])
        let program = Block(body: body, scope: scope)
        let names = parser.standardNames()
        var analysis = ScopeAnalysis(names: names, scopeCount: parser.scopeCount)
        try analysis.analyze(program)
        return Program(body: program, names: parser.names, scopes: analysis.plans)
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    /// The numbers of the names that mean something to the interpreter.
    private mutating func standardNames() -> StandardNames {
        StandardNames(
            loop: id("loop"), caller: id("caller"), varargs: id("varargs"), kwargs: id("kwargs"))
    }

    // MARK: - Tokens

    var current: Token { tokens[position] }

    var next: Token { tokens[min(position + 1, tokens.count - 1)] }

    func failure(_ message: String, line: Int? = nil) -> Failure {
        Failure(.syntax, message, line: line ?? current.line)
    }

    mutating func advance() -> Token {
        defer { position = min(position + 1, tokens.count - 1) }
        return current
    }

    mutating func skip(name: String) -> Bool {
        guard current.isName(name) else { return false }
        position += 1
        return true
    }

    mutating func skip(symbol: String) -> Bool {
        guard current.isSymbol(symbol) else { return false }
        position += 1
        return true
    }

    mutating func expect(symbol: String) throws {
        guard skip(symbol: symbol) else { throw unexpected(symbol) }
    }

    mutating func expect(_ kind: Token.Kind, _ description: String) throws -> Token {
        guard current.kind == kind else { throw unexpected(description) }
        return advance()
    }

    func unexpected(_ expected: String) -> Failure {
        if current.kind == .end {
            return failure("unexpected end of template, expected '\(expected)'.")
        }
        return failure("expected token '\(expected)', got '\(current.description)'")
    }

    mutating func name() throws -> String { try expect(.name, "name").text }

    mutating func id(_ name: String) -> NameID {
        if let id = nameIDs[name] { return id }
        nameIDs[name] = names.count
        names.append(name)
        return names.count - 1
    }

    private mutating func newScope() -> Int {
        scopeCount += 1
        return scopeCount - 1
    }

    mutating func descend() throws {
        depth += 1
        guard depth <= TemplateLimits.nesting else {
            throw Failure(
                .limit, "More than \(TemplateLimits.nesting) levels of nesting.", line: current.line
            )
        }
    }

    // MARK: - Blocks

    /// Statements up to a tag with one of the names, which becomes the current token; up to the
    /// end of the template when there are none.
    private mutating func statements(until ends: [String]) throws -> [Statement] {
        try descend()
        defer { depth -= 1 }
        var result: [Statement] = []
        while true {
            let token = advance()
            switch token.kind {
            case .data: result.append(.text(token.text))
            case .variableBegin:
                let value = try tuple()
                result.append(.output(value, line: token.line))
                _ = try expect(.variableEnd, "end of print statement")
            case .blockBegin:
                if current.kind == .name, ends.contains(current.text) { return result }
                result.append(contentsOf: try statement())
                _ = try expect(.blockEnd, "end of statement block")
            default:
                guard ends.isEmpty else {
                    let wanted = ends.map { "'\($0)'" }.joined(separator: " or ")
                    throw failure(
                        "Unexpected end of template. Jinja was looking for the following tags: "
                            + "\(wanted).")
                }
                return result
            }
        }
    }

    /// The body of a tag: the rest of the opening tag, and statements until an end tag.
    private mutating func body(until ends: [String]) throws -> [Statement] {
        _ = skip(symbol: ":")
        _ = try expect(.blockEnd, "end of statement block")
        return try statements(until: ends)
    }

    /// A body with names of its own, and its end tag.
    private mutating func block(until end: String) throws -> Block {
        let scope = newScope()
        let body = try body(until: [end])
        _ = advance()
        return Block(body: body, scope: scope)
    }

    private static let refused: Set<String> = [
        "include", "import", "from", "extends",
    ]

    private mutating func statement() throws -> [Statement] {
        let token = try expect(.name, "tag name")
        switch token.text {
        case "set": return [try set(token.line)]
        case "for": return [try loop(token.line)]
        case "if": return [try conditional(token.line)]
        case "macro": return [try macro(token.line)]
        case "call": return [try callBlock(token.line)]
        case "filter": return [try filterBlock(token.line)]
        case "with": return [try with(token.line)]
        case "print": return try prints(token.line)
        case "block": return [try namedBlock(token.line)]
        case "autoescape": return [try unescaped(token.line)]
        case "generation":
            return [.generation(try outsideOfLoops { try $0.block(until: "endgeneration") })]
        case "break", "continue": return [try jump(token)]
        case _ where Self.refused.contains(token.text):
            throw Failure(
                .unsupported, "The tag '\(token.text)' is not allowed in a chat template.",
                line: token.line)
        default: throw failure("Encountered unknown tag '\(token.text)'.", line: token.line)
        }
    }

    private mutating func jump(_ token: Token) throws -> Statement {
        guard loops > 0 else { throw failure("'\(token.text)' outside loop", line: token.line) }
        return token.text == "break" ? .breakLoop : .continueLoop
    }

    /// Reads what is a function of its own, from which no jump leads out.
    private mutating func outsideOfLoops<T>(_ read: (inout Parser) throws -> T) rethrows -> T {
        let outer = loops
        loops = 0
        defer { loops = outer }
        return try read(&self)
    }

    // MARK: - Statements

    private mutating func set(_ line: Int) throws -> Statement {
        let target = try target(allowsAttribute: true)
        if skip(symbol: "=") { return .assign(target, try tuple(), line: line) }
        let filter = try filters(of: nil)
        return .assignBlock(target, filter: filter, try block(until: "endset"), line: line)
    }

    private mutating func loop(_ line: Int) throws -> Statement {
        loops += 1
        let target = try target(allowsAttribute: false, end: "in")
        guard skip(name: "in") else { throw unexpected("in") }
        let source = try tuple(allowsConditional: false, end: "recursive")
        let test = skip(name: "if") ? try expression() : nil
        let isRecursive = skip(name: "recursive")
        let (bodyScope, elseScope, testScope) = (newScope(), newScope(), newScope())
        let body = try body(until: ["endfor", "else"])
        loops -= 1
        var otherwise: [Statement] = []
        if advance().text == "else" {
            otherwise = try self.body(until: ["endfor"])
            _ = advance()
        }
        return .loop(
            Loop(
                target: target, source: source, test: test, isRecursive: isRecursive,
                body: Block(body: body, scope: bodyScope),
                otherwise: Block(body: otherwise, scope: elseScope), testScope: testScope,
                line: line))
    }

    private mutating func conditional(_ line: Int) throws -> Statement {
        var branches: [(test: Expression, body: [Statement], line: Int)] = []
        var line = line
        while true {
            let test = try tuple(allowsConditional: false)
            branches.append((test, try body(until: ["elif", "else", "endif"]), line))
            line = current.line
            switch advance().text {
            case "elif": continue
            case "else":
                let otherwise = try body(until: ["endif"])
                _ = advance()
                return .conditional(branches, otherwise: otherwise)
            default: return .conditional(branches, otherwise: [])
            }
        }
    }

    private mutating func macro(_ line: Int) throws -> Statement {
        let name = try name()
        return .macro(try macroDefinition(name: id(name), line) { _ in })
    }

    private mutating func callBlock(_ line: Int) throws -> Statement {
        var callee: Expression?
        let body = try macroDefinition(name: nil, line) { callee = try $0.expression() }
        guard let callee, case .call = callee else { throw failure("expected call", line: line) }
        return .callBlock(body, callee: callee, line: line)
    }

    /// Parameters, what stands `between` them and the end of the tag, and the body.
    private mutating func macroDefinition(
        name: NameID?, _ line: Int, between: (inout Parser) throws -> Void
    ) throws -> MacroDefinition {
        var parameters: [NameID] = []
        var defaults: [Expression] = []
        if name != nil || current.isSymbol("(") { try signature(&parameters, &defaults) }
        try between(&self)
        let end = name == nil ? "endcall" : "endmacro"
        let body = try outsideOfLoops { try $0.block(until: end) }
        return MacroDefinition(
            name: name, parameters: parameters, defaults: defaults, body: body, line: line)
    }

    private mutating func signature(
        _ parameters: inout [NameID], _ defaults: inout [Expression]
    ) throws {
        try expect(symbol: "(")
        while !current.isSymbol(")") {
            if !parameters.isEmpty { try expect(symbol: ",") }
            let name = try name()
            if skip(symbol: "=") {
                defaults.append(try expression())
            } else if !defaults.isEmpty {
                throw failure("non-default argument follows default argument")
            }
            parameters.append(id(name))
        }
        try expect(symbol: ")")
    }

    private mutating func filterBlock(_ line: Int) throws -> Statement {
        let filter = try filters(of: nil, startsInline: true)
        guard let filter else { throw unexpected("name") }
        return .filterBlock(filter: filter, try block(until: "endfilter"), line: line)
    }

    private mutating func with(_ line: Int) throws -> Statement {
        var pairs: [(target: Target, value: Expression)] = []
        while current.kind != .blockEnd, !current.isSymbol(":") {
            if !pairs.isEmpty { try expect(symbol: ",") }
            let target = try target(allowsAttribute: false)
            try expect(symbol: "=")
            pairs.append((target, try expression()))
        }
        return .with(pairs, try block(until: "endwith"), line: line)
    }

    /// `{% block name %}`: without inheritance a block is a scope where it stands.
    private mutating func namedBlock(_ line: Int) throws -> Statement {
        let name = try name()
        while skip(name: "scoped") || skip(name: "required") {}
        let block = try outsideOfLoops { try $0.block(until: "endblock") }
        _ = skip(name: name)
        return .with([], block, line: line)
    }

    /// `{% autoescape false %}`, which is how chat templates are rendered anyway.
    private mutating func unescaped(_ line: Int) throws -> Statement {
        guard case .literal(.bool(false)) = try expression() else {
            throw Failure(
                .unsupported, "A chat template cannot turn on 'autoescape'.", line: line)
        }
        return .with([], try block(until: "endautoescape"), line: line)
    }

    private mutating func prints(_ line: Int) throws -> [Statement] {
        var result: [Statement] = []
        while current.kind != .blockEnd {
            if !result.isEmpty { try expect(symbol: ",") }
            result.append(.output(try expression(), line: line))
        }
        return result
    }

    // MARK: - Targets

    private static let constants: Set<String> = ["true", "false", "none", "True", "False", "None"]

    private mutating func target(allowsAttribute: Bool, end: String? = nil) throws -> Target {
        var targets: [Target] = []
        var isTuple = false
        repeat {
            if isTuple, current.isSymbol("=") || end.map(current.isName) == true { break }
            targets.append(try singleTarget(allowsAttribute))
            if current.isSymbol(",") { isTuple = true }
        } while skip(symbol: ",")
        return isTuple ? .tuple(targets) : targets[0]
    }

    private mutating func singleTarget(_ allowsAttribute: Bool) throws -> Target {
        if skip(symbol: "(") {
            try descend()
            defer { depth -= 1 }
            let inner = try target(allowsAttribute: allowsAttribute)
            try expect(symbol: ")")
            return inner
        }
        let name = try name()
        if Self.constants.contains(name) { throw failure("can't assign to 'const'") }
        if allowsAttribute, skip(symbol: ".") { return .attribute(id(name), try self.name()) }
        if name == "loop", loops > 0 {
            throw failure("Can't assign to special loop variable in for-loop target")
        }
        return .name(id(name))
    }
}
