/// The number of a name in a template's table of names.
typealias NameID = Int

/// An expression of a template.
indirect enum Expression: Sendable {
    case literal(TemplateValue)
    case name(NameID)
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    case negative(Expression)
    case positive(Expression)
    case not(Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
    case arithmetic(ArithmeticOperator, Expression, Expression)
    /// `a ~ b ~ …`
    case concatenation([Expression])
    /// `a < b <= c …`
    case comparison(Expression, [(symbol: ComparisonOperator, right: Expression)])
    /// `then if test else otherwise`
    case conditional(test: Expression, then: Expression, otherwise: Expression?, line: Int)
    /// `object.name`
    case attribute(Expression, String)
    /// `object[key]`
    case item(Expression, Expression)
    /// `object[start:stop:step]`
    case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
    case call(Expression, CallArguments, line: Int)
    /// `value | name(…)`; without a value, of the text of the block that it ends.
    case filter(Expression?, name: String, CallArguments, line: Int)
    /// `value is name(…)`
    case test(Expression, name: String, CallArguments, line: Int)
}

/// The arguments of a call as written.
struct CallArguments: Sendable {
    var positional: [Expression] = []
    var keyword: [(name: String, value: Expression)] = []
    /// `*expression`
    var rest: Expression?
    /// `**expression`
    var keywordRest: Expression?

    var all: [Expression] {
        positional + keyword.map(\.value) + [rest, keywordRest].compactMap { $0 }
    }
}

enum ArithmeticOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

enum ComparisonOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
}

/// What can be assigned to.
indirect enum Target: Sendable {
    case name(NameID)
    /// `namespace.attribute`
    case attribute(NameID, String)
    case tuple([Target])
}

/// A statement of a template.
indirect enum Statement: Sendable {
    case text(String)
    case output(Expression, line: Int)
    case assign(Target, Expression, line: Int)
    /// `{% set target | filter %} body {% endset %}`
    case assignBlock(Target, filter: Expression?, Block, line: Int)
    case conditional([(test: Expression, body: [Statement], line: Int)], otherwise: [Statement])
    case loop(Loop)
    case macro(MacroDefinition)
    /// `{% call(parameters) callee(…) %} body {% endcall %}`; the body is the macro.
    case callBlock(MacroDefinition, callee: Expression, line: Int)
    case filterBlock(filter: Expression, Block, line: Int)
    case with([(target: Target, value: Expression)], Block, line: Int)
    /// `{% generation %}`: what the model itself writes; renders as it is.
    case generation(Block)
    case breakLoop
    case continueLoop
}

/// Statements with names of their own.
struct Block: Sendable {
    let body: [Statement]
    /// Which of the program's scopes holds the names.
    let scope: Int
}

/// `{% for target in source if test %} … {% else %} … {% endfor %}`
struct Loop: Sendable {
    let target: Target
    let source: Expression
    let test: Expression?
    let isRecursive: Bool
    let body: Block
    let otherwise: Block
    let testScope: Int
    let line: Int
}

/// `{% macro name(parameters) %} body {% endmacro %}`
struct MacroDefinition: Sendable {
    /// Nil for the body of a call block.
    let name: NameID?
    let parameters: [NameID]
    /// The defaults of the last parameters.
    let defaults: [Expression]
    let body: Block
    let line: Int
}

/// A parsed template.
struct Program: Sendable {
    let body: Block
    /// Names by ``NameID``.
    let names: [String]
    /// The names that each scope holds, by ``Block/scope``.
    let scopes: [ScopePlan]
}
