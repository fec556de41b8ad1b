import OrderedJSON

/// Makes the grammar of a schema: a rule for each schema inside it, so that recursion is a call.
struct SchemaCompiler {
    var builder = GrammarBuilder(limit: SchemaLimits.states)
    var resolver: SchemaResolver
    let isStrict: Bool
    private let root: JSONValue
    private var rules: [[UInt8]: Int] = [:]
    /// Rules that are called and not made yet.
    private var pending: [(rule: Int, schema: Conjunction, depth: Int)] = []
    /// Rules that need making once, by name.
    private var shared: [String: Int] = [:]

    init(_ schema: JSONValue, isStrict: Bool) {
        root = schema
        resolver = SchemaResolver(root: schema)
        self.isStrict = isStrict
    }

    mutating func grammar() throws(SchemaError) -> Grammar {
        builder.setRoot(try rule(for: Conjunction(root, ""), depth: 0))
        while let next = pending.popLast() {
            builder.resume(next.rule)
            let start = builder.start(of: next.rule)
            let end = builder.end(of: next.rule)
            if next.schema.isOpen {
                try emitAnything(from: start, to: end, depth: next.depth)
            } else {
                for node in try resolver.nodes(of: next.schema) {
                    try emit(node, from: start, to: end, depth: next.depth)
                }
            }
        }
        return builder.grammar
    }

    /// The rule of the values that a schema takes.
    ///
    /// - Parameter depth: how many open values it is inside of: these are counted, since they could
    ///   nest for ever.
    mutating func rule(
        for schema: Conjunction, depth: Int
    ) throws(SchemaError) -> Int {
        let key = schema.isOpen ? Array("open \(depth)".utf8) : schema.key
        if let known = rules[key] { return known }
        let rule = try detached { (compiler) throws(SchemaError) in
            try compiler.builder.makeRule()
        }
        rules[key] = rule
        pending.append((rule, schema, depth))
        return rule
    }

    /// A rule that is made at its first use.
    ///
    /// - Parameter make: makes what lies between start and end.
    mutating func shared(
        _ name: String,
        _ make: (inout SchemaCompiler, _ start: Int, _ end: Int) throws(SchemaError) -> Void
    ) throws(SchemaError) -> Int {
        if let known = shared[name] { return known }
        let rule = try detached { (compiler) throws(SchemaError) in
            let rule = try compiler.builder.makeRule()
            try make(&compiler, compiler.builder.start(of: rule), compiler.builder.end(of: rule))
            return rule
        }
        shared[name] = rule
        return rule
    }

    /// Makes another rule in the middle of one.
    private mutating func detached(
        _ make: (inout SchemaCompiler) throws(SchemaError) -> Int
    ) throws(SchemaError) -> Int {
        let current = builder.rule
        defer { builder.resume(current) }
        return try make(&self)
    }

    /// A value of any kind.
    private mutating func emitAnything(
        from start: Int, to end: Int, depth: Int
    ) throws(SchemaError) {
        let node = SchemaNode("")
        for kind in ValueKind.allCases {
            let nests = kind == .object || kind == .array
            guard !nests || depth < SchemaLimits.openDepth else { continue }
            try emit(kind, node, from: start, to: end, depth: depth + 1)
        }
    }

    private mutating func emit(
        _ node: SchemaNode, from start: Int, to end: Int, depth: Int
    ) throws(SchemaError) {
        if let values = node.values {
            return try emit(values, of: node, from: start, to: end)
        }
        let kinds = node.possibleKinds
        for kind in ValueKind.allCases where kinds.contains(kind) {
            // Whole numbers are among the numbers.
            guard kind != .integer || !kinds.contains(.number) else { continue }
            try emit(kind, node, from: start, to: end, depth: depth)
        }
    }

    private mutating func emit(
        _ kind: ValueKind, _ node: SchemaNode, from start: Int, to end: Int, depth: Int
    ) throws(SchemaError) {
        switch kind {
        case .null: builder.jump(try builder.literal("null".utf8, from: start), to: end)
        case .boolean:
            builder.jump(try builder.literal("true".utf8, from: start), to: end)
            builder.jump(try builder.literal("false".utf8, from: start), to: end)
        case .integer: try emitInteger(node, from: start, to: end)
        case .number: try emitNumber(node, from: start, to: end)
        case .string: try emitString(node, from: start, to: end)
        case .array: try emitArray(node, from: start, to: end, depth: depth)
        case .object: try emitObject(node, from: start, to: end, depth: depth)
        }
    }

    /// The values of `enum` or `const` that are of the right type.
    private mutating func emit(
        _ values: [JSONValue], of node: SchemaNode, from start: Int, to end: Int
    ) throws(SchemaError) {
        let beside = node.paths.filter { !SchemaNode.keywordsBesideValues.contains($0.key) }
        if let other = beside.values.min() {
            throw .unsupported(other, "this keyword beside enum or const")
        }
        for value in values where node.allows(value) {
            builder.jump(try emit(value, from: start), to: end)
        }
    }

    /// Exactly this value, with blanks where JSON may have them.
    private mutating func emit(
        _ value: JSONValue, from start: Int
    ) throws(SchemaError) -> Int {
        switch value {
        case .array(let values):
            var state = try builder.literal("[".utf8, from: start)
            for (index, value) in values.enumerated() {
                if index > 0 { state = try builder.literal(",".utf8, from: state) }
                state = try emit(value, from: space(from: state))
            }
            return try builder.literal("]".utf8, from: space(from: state))
        case .object(let members):
            var state = try builder.literal("{".utf8, from: start)
            for (index, member) in members.enumerated() {
                if index > 0 { state = try builder.literal(",".utf8, from: state) }
                let key = JSONText.scalar(.string(member.key))
                state = try builder.literal(key, from: space(from: state))
                state = try builder.literal(":".utf8, from: state)
                state = try emit(member.value, from: space(from: state))
            }
            return try builder.literal("}".utf8, from: space(from: state))
        default: return try builder.literal(JSONText.scalar(value), from: start)
        }
    }

    /// Blanks, not without end: nothing, one blank, or a new line and an indentation.
    mutating func space(from state: Int) throws(SchemaError) -> Int {
        let rule = try shared("space") { (compiler, start, end) throws(SchemaError) in
            compiler.builder.jump(start, to: end)
            compiler.builder.bytes(ByteSet(" ".utf8), from: start, to: end)
            let line = try compiler.builder.literal("\n".utf8, from: start)
            let blanks = try compiler.builder.repeated(
                from: line, least: 0, most: SchemaLimits.indentation
            ) { (builder, state) throws(SchemaError) in
                try builder.bytes(ByteSet(" \t".utf8), from: state)
            }
            compiler.builder.jump(blanks, to: end)
        }
        return try builder.call(rule, from: state)
    }
}
