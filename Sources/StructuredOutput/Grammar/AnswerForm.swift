/// A form of an answer: fixed texts with values between them, one or several times.
package struct AnswerForm: Sendable {
    /// A piece of the form.
    package enum Part: Sendable {
        /// Exactly this text.
        case text(String)
        /// A special token.
        case token(Int)
        /// A number of one or two digits.
        case digits
        /// A text of a grammar of its own.
        case value(Grammar)
    }

    /// Before all else.
    package var opening: [Part] = []
    /// What may come; one of these each time.
    package var alternatives: [[Part]] = []
    /// Between two of them.
    package var separator: [Part] = []
    /// Behind all else.
    package var closing: [Part] = []
    /// How often an alternative may come, at least 1.
    package var most = 1

    package init() {}
}

extension Grammar {
    /// The grammar of a form.
    ///
    /// - Throws: `SchemaError` if it needs more than ``SchemaLimits/states`` states.
    package init(_ form: AnswerForm) throws(SchemaError) {
        var builder = GrammarBuilder(limit: SchemaLimits.states)
        let root = try builder.makeRule()
        builder.setRoot(root)
        let once = try builder.makeRule()
        for alternative in form.alternatives {
            let last = try builder.add(alternative, from: builder.start(of: once))
            builder.jump(last, to: builder.end(of: once))
        }
        builder.resume(root)
        var state = try builder.add(form.opening, from: builder.start(of: root))
        state = try builder.call(once, from: state)
        state = try builder.repeated(from: state, least: 0, most: max(form.most, 1) - 1) {
            (builder, state) throws(SchemaError) in
            try builder.call(once, from: builder.add(form.separator, from: state))
        }
        builder.jump(try builder.add(form.closing, from: state), to: builder.end(of: root))
        self = builder.grammar
    }
}

extension GrammarBuilder {
    fileprivate mutating func add(
        _ parts: [AnswerForm.Part], from start: Int
    ) throws(SchemaError) -> Int {
        var state = start
        for part in parts {
            switch part {
            case .text(let text): state = try literal(text.utf8, from: state)
            case .token(let id): state = try token(id, from: state)
            case .digits:
                state = try repeated(from: state, least: 1, most: 2) {
                    (builder, state) throws(SchemaError) in
                    try builder.bytes(ByteSet("0123456789".utf8), from: state)
                }
            case .value(let grammar): state = try call(embed(grammar), from: state)
            }
        }
        return state
    }
}
