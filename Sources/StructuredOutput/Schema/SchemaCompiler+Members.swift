import OrderedJSON

extension SchemaCompiler {
    /// A member of an object in the making.
    private struct Member {
        let key: JSONString
        let schema: Conjunction
        let isRequired: Bool
    }

    /// An object: the properties in order, then others.
    mutating func emitObject(
        _ node: SchemaNode, from start: Int, to end: Int, depth: Int
    ) throws(SchemaError) {
        let open = Conjunction(.boolean(isStrict && !node.paths.isEmpty ? false : true), node.path)
        let additional = node.additional ?? open
        let members = try members(node, additional)
        // Before the first member, and behind one: only there a comma comes first.
        var first = try space(from: builder.literal("{".utf8, from: start))
        var later = try builder.makeState()
        for member in members {
            let key = JSONText.scalar(.string(member.key))
            let rule = try rule(for: member.schema, depth: depth)
            let keyed = try builder.makeState()
            builder.jump(first, to: keyed)
            builder.jump(try separator(from: later), to: keyed)
            let named = try builder.literal(key, from: keyed)
            let after = try builder.call(rule, from: try colon(from: named))
            let (skipFirst, skipLater) = (first, later)
            (first, later) = (try builder.makeState(), after)
            guard !member.isRequired else { continue }
            builder.jump(skipFirst, to: first)
            let joined = try builder.makeState()
            builder.jump(skipLater, to: joined)
            builder.jump(after, to: joined)
            later = joined
        }
        if !additional.isClosed {
            let keyed = try builder.makeState()
            let others = try builder.makeState()
            builder.jump(first, to: keyed)
            builder.jump(later, to: others)
            builder.jump(try separator(from: others), to: keyed)
            // Those that may not be there are no members, and no others either.
            let taken = node.properties.map(\.key) + members.map(\.key)
            let named = try key(except: taken, from: keyed)
            let rule = try rule(for: additional, depth: depth)
            builder.jump(try builder.call(rule, from: colon(from: named)), to: others)
            later = others
        }
        builder.jump(try builder.literal("}".utf8, from: first), to: end)
        builder.jump(try builder.literal("}".utf8, from: space(from: later)), to: end)
    }

    private func members(
        _ node: SchemaNode, _ additional: Conjunction
    ) throws(SchemaError) -> [Member] {
        let named = node.properties.map {
            Member(
                key: $0.key, schema: $0.schema, isRequired: node.required.contains($0.key))
        }
        let others = node.required.filter { node.property($0) == nil }
        guard others.isEmpty || !additional.isClosed else {
            throw SchemaError(
                node.paths["required"] ?? node.path,
                "\(others[0].excerpt) is not in properties, and there may be no others")
        }
        // What may not be there is not looked for, unless it has to be: then there is no object.
        return named.filter { $0.isRequired || !$0.schema.isClosed }
            + others.map { Member(key: $0, schema: additional, isRequired: true) }
    }

    private mutating func separator(from state: Int) throws(SchemaError) -> Int {
        try space(from: builder.literal(",".utf8, from: state))
    }

    private mutating func colon(from state: Int) throws(SchemaError) -> Int {
        try space(from: builder.literal(":".utf8, from: state))
    }

    /// A key that is none of some. A character is spelled in one way only, so that a key cannot be
    /// spelled around.
    private mutating func key(
        except keys: [JSONString], from state: Int
    ) throws(SchemaError) -> Int {
        let quote = ByteSet("\"".utf8)
        let end = try builder.makeState()
        let rest = try builder.makeState()
        try emit(.all, from: rest, to: rest)
        builder.bytes(quote, from: rest, to: end)
        var open = [(keys: keys.map { Array($0.text.unicodeScalars)[...] }, state: state)]
        open[0].state = try builder.bytes(quote, from: state)
        while let (keys, state) = open.popLast() {
            if !keys.contains(where: \.isEmpty) { builder.bytes(quote, from: state, to: end) }
            let next = Dictionary(grouping: keys.filter { !$0.isEmpty }, by: { $0[$0.startIndex] })
            for (scalar, keys) in next.sorted(by: { $0.key < $1.key }) {
                let target = try builder.makeState()
                try emit(ScalarSet(scalar), from: state, to: target)
                open.append((keys.map { $0.dropFirst() }, target))
            }
            let others = next.keys.reduce(ScalarSet.all) { $0.subtracting(ScalarSet($1)) }
            try emit(others, from: state, to: rest)
        }
        return end
    }

    /// An array: the first elements by `prefixItems`, the others by `items`.
    mutating func emitArray(
        _ node: SchemaNode, from start: Int, to end: Int, depth: Int
    ) throws(SchemaError) {
        let items = node.items ?? Conjunction(.boolean(true), node.path)
        var most = node.itemsMost
        if items.isClosed { most = min(most ?? .max, node.prefix.count) }
        guard node.itemsLeast <= most ?? .max else { return }
        let counted = most ?? max(node.itemsLeast, node.prefix.count)
        let close = try builder.makeState()
        builder.jump(try builder.literal("]".utf8, from: close), to: end)
        var state = try space(from: builder.literal("[".utf8, from: start))
        for index in 0..<counted {
            if index >= node.itemsLeast {
                builder.jump(index == 0 ? state : try space(from: state), to: close)
            }
            if index > 0 { state = try separator(from: state) }
            let schema = index < node.prefix.count ? node.prefix[index] : items
            state = try builder.call(rule(for: schema, depth: depth), from: state)
        }
        builder.jump(counted == 0 ? state : try space(from: state), to: close)
        guard most == nil else { return }
        let rule = try rule(for: items, depth: depth)
        let element = try builder.makeState()
        builder.jump(counted == 0 ? state : try separator(from: state), to: element)
        let after = try builder.call(rule, from: element)
        builder.jump(try separator(from: after), to: element)
        builder.jump(try space(from: after), to: close)
    }
}
