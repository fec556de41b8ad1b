/// A piece of template source.
struct Token {
    enum Kind: Equatable {
        /// Text outside of tags.
        case data
        case blockBegin
        case blockEnd
        case variableBegin
        case variableEnd
        case name
        case string
        case integer
        case float
        /// An operator or a bracket; which one is the text.
        case symbol
        case end
    }

    let kind: Kind
    /// The text; of a string, what it denotes.
    let text: String
    /// From 1.
    let line: Int

    func isName(_ name: String) -> Bool { kind == .name && text == name }

    func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }

    /// How messages call the token.
    var description: String {
        switch kind {
        case .data: "template data / text"
        case .blockBegin: "begin of statement block"
        case .blockEnd: "end of statement block"
        case .variableBegin: "begin of print statement"
        case .variableEnd: "end of print statement"
        case .string: "string"
        case .integer: "integer"
        case .float: "float"
        case .name, .symbol: text
        case .end: "end of template"
        }
    }
}
