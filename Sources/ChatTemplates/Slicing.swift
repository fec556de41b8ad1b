/// Python's slices.
enum Slicing {
    /// `object[start:stop:step]`; a bound is nil where it is not written.
    static func slice(
        _ object: Value, _ bounds: [Value?], _ interpreter: Interpreter
    ) throws -> Value {
        if case .undefined(let undefined) = object { throw undefined.failure }
        let limits = try bounds.map { try bound($0) }
        func indices(_ count: Int) throws -> [Int] {
            let result = try Self.indices(count, limits[0], limits[1], limits[2])
            try interpreter.charge(result.count)
            return result
        }
        switch object {
        case .string(let text), .markup(let text):
            let scalars = Array(text.unicodeScalars)
            try interpreter.charge(scalars.count / 16)
            let part = String(scalars: try indices(scalars.count).map { scalars[$0] })
            if case .markup = object { return .markup(part) }
            return .string(part)
        case .list(let list): return .list(try indices(list.items.count).map { list.items[$0] })
        case .tuple(let list): return .tuple(try indices(list.items.count).map { list.items[$0] })
        case .range(let range): return try slice(range, limits)
        default: throw Failure(.type, "'\(object.typeName)' object is not subscriptable")
        }
    }

    private static func bound(_ value: Value?) throws -> Int? {
        guard let value, !value.isNone else { return nil }
        guard let integer = value.integer else {
            throw Failure(
                .type, "slice indices must be integers or None or have an __index__ method")
        }
        return integer
    }

    private static func slice(_ range: RangeValue, _ limits: [Int?]) throws -> Value {
        // Far from overflow: a range has at most 100,000 items.
        let isSmall = [range.start, range.stop, range.step].allSatisfy { abs($0 / 2) < 1 << 40 }
        guard isSmall else { throw Failure(.overflow, "A range out of bounds.") }
        let (start, stop, step) = try resolve(range.count, limits[0], limits[1], limits[2])
        let result = RangeValue(
            start: range.start + start * range.step, stop: range.start + stop * range.step,
            step: range.step * step)
        guard let result else { throw Failure(.overflow, "A range out of bounds.") }
        return .range(result)
    }

    private static func indices(
        _ count: Int, _ start: Int?, _ stop: Int?, _ step: Int?
    ) throws -> [Int] {
        let (start, stop, step) = try resolve(count, start, stop, step)
        return Array(stride(from: start, to: stop, by: step))
    }

    /// The bounds as offsets, by the rules of Python's `slice.indices`.
    private static func resolve(
        _ count: Int, _ start: Int?, _ stop: Int?, _ step: Int?
    ) throws -> (Int, Int, Int) {
        let step = step ?? 1
        guard step != 0 else { throw Failure(.value, "slice step cannot be zero") }
        // A step beyond the length acts like the length.
        let bounded = max(-count - 1, min(count + 1, step))
        let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
        func clamp(_ value: Int) -> Int {
            value < 0 ? max(value < -count ? lowest : value + count, lowest) : min(value, highest)
        }
        let first = start.map(clamp) ?? (step > 0 ? lowest : highest)
        let last = stop.map(clamp) ?? (step > 0 ? highest : lowest)
        return (first, last, bounded)
    }
}
