extension Value {
    /// Python's `==`.
    func equals(_ other: Value) -> Bool {
        switch (self, other) {
        case (.undefined, .undefined), (.none, .none): true
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            left.items.count == right.items.count
                && zip(left.items, right.items).allSatisfy { $0.equals($1) }
        case (.dictionary(let left), .dictionary(let right)): Self.equal(left, right)
        case (.view(let kind, let left), .view(let other, let right)):
            kind == other && kind != .values && Self.equal(left, right)
        case (.range(let left), .range(let right)):
            left.count == right.count
                && (left.count == 0 || left.start == right.start)
                && (left.count < 2 || left.step == right.step)
        case (.namespace(let left), .namespace(let right)): left === right
        case (.macro(let left), .macro(let right)): left === right
        case (.loop(let left), .loop(let right)): left === right
        case (.iterator(let left), .iterator(let right)): left === right
        case (.function(let left), .function(let right)): left === right
        default: equalsPlain(other)
        }
    }

    private func equalsPlain(_ other: Value) -> Bool {
        if let left = text, let right = other.text { return left.isExactly(right) }
        if let left = integer, let right = other.integer { return left == right }
        if let left = double, let right = other.double { return left == right }
        return false
    }

    private static func equal(_ left: ValueDictionary, _ right: ValueDictionary) -> Bool {
        left.count == right.count
            && zip(left.keys, left.values).allSatisfy { key, value in
                right[key].map { $0.equals(value) } ?? false
            }
    }

    /// Python's `<` (and `>` with the sides swapped; `symbol` is for the message).
    func isLess(_ other: Value, symbol: String = "<") throws -> Bool {
        if case .undefined(let undefined) = self { throw undefined.failure }
        if case .undefined(let undefined) = other { throw undefined.failure }
        if let left = text, let right = other.text { return left.precedes(right) }
        if let left = integer, let right = other.integer { return left < right }
        if let left = double, let right = other.double { return left < right }
        switch (self, other) {
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            for (left, right) in zip(left.items, right.items) where !left.equals(right) {
                return try left.isLess(right, symbol: symbol)
            }
            return left.items.count < right.items.count
        default:
            throw Failure(
                .type,
                "'\(symbol)' not supported between instances of '\(typeName)' and "
                    + "'\(other.typeName)'")
        }
    }

    /// Python's `>`.
    func isGreater(_ other: Value) throws -> Bool {
        if text == nil, double == nil { _ = try isLess(other, symbol: ">") }
        return try other.isLess(self, symbol: ">")
    }

    /// Python's `>=`.
    func isGreaterOrEqual(_ other: Value) throws -> Bool {
        if let left = double, let right = other.double { return left == right || left > right }
        return try isGreater(other) || equals(other)
    }

    /// Python's `<=`. Not the negation of `>`: NaN is neither.
    func isLessOrEqual(_ other: Value, symbol: String = "<=") throws -> Bool {
        if let left = double, let right = other.double { return left == right || left < right }
        return try isLess(other, symbol: symbol) || equals(other)
    }
}

extension Array where Element == Value {
    /// Python's stable sort by keys, which must be comparable to each other.
    func sorted(by key: (Value) throws -> Value, reverse: Bool) throws -> [Value] {
        let keyed = try enumerated().map { (offset: $0.offset, key: try key($0.element)) }
        let order = try keyed.sorted { left, right in
            if try left.key.isLess(right.key) { return !reverse }
            if try right.key.isLess(left.key) { return reverse }
            return left.offset < right.offset
        }
        return order.map { self[$0.offset] }
    }
}
