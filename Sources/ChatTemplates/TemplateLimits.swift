import OrderedJSON

/// What a template, and the values given to it, may cost. Both come from outside.
///
/// Published templates stay below a tenth of each limit. A limit that is reached is an error of
/// code `limit` that names it.
package enum TemplateLimits {
    /// Bytes of template source. The largest published ones have some 30 KiB.
    package static let sourceBytes = 1 << 20
    /// Units of work of one rendering: a node evaluated, an item visited, 16 bytes of text made.
    /// A conversation of a thousand messages through the largest templates needs a million.
    package static let work = 10_000_000
    /// Bytes of rendered text, and of any one string on the way. A context of a million tokens
    /// is some 4 MiB.
    package static let outputBytes = 16 << 20
    /// Items in any one list that a template makes.
    package static let listItems = 1_000_000
    /// Parentheses, brackets and blocks inside each other in the source;
    /// the parser and the interpreter recurse on these.
    package static let nesting = 100
    /// Operators, filters or subscripts in a row in one expression; the interpreter recurses on
    /// these.
    package static let chain = 200
    /// Evaluations inside each other, macros included; bounds the stack of the thread.
    package static let evaluationDepth = 500
    /// Macro calls inside each other.
    package static let macroDepth = 64
    /// Lists and dictionaries inside each other, in values given and made.
    package static let valueDepth = 100
    /// Items of one `range`, the limit of Jinja's own sandbox.
    package static let rangeItems = 100_000
    /// Bytes of one JSON document read as a value.
    package static let jsonBytes = 64 << 20
    /// Values in one JSON document, as many as a list may have items.
    package static let jsonValues = listItems

    /// A document read as a value. Templates compute with 64 bits.
    static let json = JSONRules(
        byteCount: jsonBytes, depth: valueDepth, valueCount: jsonValues, refusals: .largeIntegers)
}
