import OrderedJSON

extension SchemaCompiler {
    /// A text in quotation marks.
    mutating func emitString(
        _ node: SchemaNode, from start: Int, to end: Int
    ) throws(SchemaError) {
        let quote = ByteSet("\"".utf8)
        let inside = try builder.bytes(quote, from: start)
        guard let pattern = try pattern(of: node) else {
            if let most = node.lengthMost, most < node.lengthLeast { return }
            let character = try anyCharacter()
            let last = try builder.repeated(
                from: inside, least: min(node.lengthLeast, SchemaLimits.states),
                most: node.lengthMost.map { min($0, SchemaLimits.states) }
            ) { (builder, state) throws(SchemaError) in try builder.call(character, from: state) }
            return builder.bytes(quote, from: last, to: end)
        }
        let last = try builder.makeState()
        try emit(pattern, from: inside, to: last)
        builder.bytes(quote, from: last, to: end)
    }

    private func pattern(of node: SchemaNode) throws(SchemaError) -> TextPattern? {
        guard let keyword = node.pattern ?? node.format else { return nil }
        for other in ["format", "minLength", "maxLength"] {
            guard let path = node.paths[other], path != keyword.path else { continue }
            throw .unsupported(
                path, "this keyword beside \(node.pattern != nil ? "pattern" : "format")")
        }
        if node.pattern != nil { return try TextPattern(keyword.text, path: keyword.path) }
        guard let source = TextFormats.pattern(keyword.text) else {
            let known = TextFormats.names.joined(separator: ", ")
            throw .unsupported(keyword.path, "another format than \(known)")
        }
        return try TextPattern(source, path: keyword.path)
    }

    /// The rule of one character of a text in any spelling: as it is, or escaped.
    private mutating func anyCharacter() throws(SchemaError) -> Int {
        try shared("character") { (compiler, start, end) throws(SchemaError) in
            try compiler.emit(ScalarSet.all.subtracting(.escaped), from: start, to: end)
            let escape = try compiler.builder.literal("\\".utf8, from: start)
            compiler.builder.bytes(ByteSet("\"\\/bfnrt".utf8), from: escape, to: end)
            try compiler.emitUnicodeEscape(
                from: compiler.builder.literal("u".utf8, from: escape), to: end)
        }
    }

    /// Four hexadecimal digits, or a surrogate pair; half of one is no text.
    private mutating func emitUnicodeEscape(from start: Int, to end: Int) throws(SchemaError) {
        let hexadecimal = ByteSet("0123456789abcdefABCDEF".utf8)
        let surrogate = ByteSet("dD".utf8)
        let lead = ByteSet("89abAB".utf8)
        let trail = ByteSet("cdefCDEF".utf8)
        let three = try builder.bytes(hexadecimal.subtracting(surrogate), from: start)
        let two = try builder.bytes(hexadecimal, from: three)
        let one = try builder.bytes(hexadecimal, from: two)
        builder.bytes(hexadecimal, from: one, to: end)
        let afterD = try builder.bytes(surrogate, from: start)
        builder.bytes(ByteSet("01234567".utf8), from: afterD, to: two)
        var state = try builder.bytes(lead, from: afterD)
        for _ in 0..<2 { state = try builder.bytes(hexadecimal, from: state) }
        state = try builder.literal("\\u".utf8, from: state)
        state = try builder.bytes(surrogate, from: state)
        builder.bytes(trail, from: state, to: two)
    }

    /// What a pattern stands for, as the inside of a JSON string.
    private mutating func emit(
        _ pattern: TextPattern, from start: Int, to end: Int
    ) throws(SchemaError) {
        switch pattern {
        case .anything:
            let character = try anyCharacter()
            let last = try builder.repeated(from: start, least: 0, most: nil) {
                (builder, state) throws(SchemaError) in try builder.call(character, from: state)
            }
            builder.jump(last, to: end)
        case .scalars(let set): try emit(set, from: start, to: end)
        case .sequence(let parts):
            var state = start
            for part in parts {
                let next = try builder.makeState()
                try emit(part, from: state, to: next)
                state = next
            }
            builder.jump(state, to: end)
        case .choice(let parts):
            for part in parts { try emit(part, from: start, to: end) }
        case .repeated(let part, let least, let most):
            var state = start
            for _ in 0..<least { state = try step(part, from: state) }
            guard let most else {
                let loop = try builder.makeState()
                builder.jump(state, to: loop)
                builder.jump(try step(part, from: loop), to: loop)
                return builder.jump(loop, to: end)
            }
            for _ in least..<max(least, most) {
                builder.jump(state, to: end)
                state = try step(part, from: state)
            }
            builder.jump(state, to: end)
        }
    }

    private mutating func step(
        _ part: TextPattern, from state: Int
    ) throws(SchemaError) -> Int {
        // A state of its own: what loops back to a shared one would leave its other ways open.
        let (entry, next) = (try builder.makeState(), try builder.makeState())
        builder.jump(state, to: entry)
        try emit(part, from: entry, to: next)
        return next
    }

    /// One of some characters as a JSON string spells it: as it is where that is allowed.
    mutating func emit(_ set: ScalarSet, from start: Int, to end: Int) throws(SchemaError) {
        builder.bytes(set.ascii.subtracting(ScalarSet.escapedBytes), from: start, to: end)
        for byte in UInt8.min..<0x80 where set.ascii.contains(byte) {
            guard let escape = JSONText.escape(of: byte) else { continue }
            builder.jump(try builder.literal(escape, from: start), to: end)
        }
        for range in set.beyondASCII {
            for part in UTF8Range.split(range) {
                try emitRange(
                    part.first[...], part.last[...], tail: 0x80...0xBF, from: start, to: end)
            }
        }
    }

    /// The byte sequences of one length from `first` to `last`, where each byte but the first may
    /// be any of `tail`.
    mutating func emitRange(
        _ first: ArraySlice<UInt8>, _ last: ArraySlice<UInt8>, tail: ClosedRange<UInt8>,
        from start: Int, to end: Int
    ) throws(SchemaError) {
        guard let low = first.first, let high = last.first else {
            return builder.jump(start, to: end)
        }
        guard first.count > 1 else {
            return builder.bytes(ByteSet(low...high), from: start, to: end)
        }
        let (lowRest, highRest) = (first.dropFirst(), last.dropFirst())
        guard low < high else {
            let next = try builder.literal([low], from: start)
            return try emitRange(lowRest, highRest, tail: tail, from: next, to: end)
        }
        let bottom = lowRest.map { _ in tail.lowerBound }[...]
        let top = highRest.map { _ in tail.upperBound }[...]
        let isLowWhole = lowRest.elementsEqual(bottom)
        let isHighWhole = highRest.elementsEqual(top)
        if !isLowWhole {
            let next = try builder.literal([low], from: start)
            try emitRange(lowRest, top, tail: tail, from: next, to: end)
        }
        if !isHighWhole {
            let next = try builder.literal([high], from: start)
            try emitRange(bottom, highRest, tail: tail, from: next, to: end)
        }
        let (least, most) = (isLowWhole ? low : low + 1, isHighWhole ? high : high - 1)
        guard least <= most else { return }
        let next = try builder.bytes(ByteSet(least...most), from: start)
        try emitRange(bottom, top, tail: tail, from: next, to: end)
    }
}
