/// Filters on lists and dictionaries that keep all items.
enum SequenceFilters {
    static let all: [String: Filters.Body] = [
        "attr": attribute,
        "batch": batch,
        "count": length,
        "d": fallback,
        "default": fallback,
        "dictsort": sortDictionary,
        "first": first,
        "groupby": group,
        "items": items,
        "join": join,
        "last": last,
        "length": length,
        "list": { interpreter, value, _ in .list(try interpreter.sequence(value)) },
        "max": { try extreme($0, $1, $2, isMaximum: true) },
        "min": { try extreme($0, $1, $2, isMaximum: false) },
        "reverse": reverse,
        "slice": slice,
        "sort": sort,
        "sum": sum,
    ]

    private static func length(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        _ = try arguments.bind("len", [])
        return .int(try interpreter.length(value))
    }

    private static func fallback(
        _: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_default", ["default_value", "boolean"])
        let isReplaced = value.isUndefined || ((values[1]?.isTrue ?? false) && !value.isTrue)
        return isReplaced ? values[0] ?? .string("") : value
    }

    private static func attribute(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let name = try (try arguments.bind("do_attr", ["name"], required: 1)[0] ?? .none)
            .requireText("attribute name")
        if case .undefined = value { return try interpreter.attribute(name, of: value) }
        let found = try interpreter.attribute(name, of: value)
        // Items do not count here, only attributes.
        guard case .dictionary(let dictionary) = value, dictionary[name] != nil,
            Methods.method(name, of: value) == nil
        else { return found }
        return .undefined(Undefined("'dict object' has no attribute \(Value.quoted(name))"))
    }

    private static func first(
        _ interpreter: Interpreter, _ value: Value, _: Arguments
    ) throws -> Value {
        if let item = value.items?.first { return item }
        return try interpreter.iterate(value).next()
            ?? .undefined(Undefined("No first item, sequence was empty."))
    }

    private static func last(
        _ interpreter: Interpreter, _ value: Value, _: Arguments
    ) throws -> Value {
        try reversible(value, interpreter).last
            ?? .undefined(Undefined("No last item, sequence was empty."))
    }

    private static func reversible(
        _ value: Value, _ interpreter: Interpreter
    ) throws -> [Value] {
        if case .iterator(let iterator) = value {
            throw Failure(.type, "'\(iterator.typeName)' object is not reversible")
        }
        return try interpreter.sequence(value)
    }

    private static func reverse(
        _ interpreter: Interpreter, _ value: Value, _: Arguments
    ) throws -> Value {
        if let text = value.text {
            return .string(try interpreter.charge(String(scalars: text.unicodeScalars.reversed())))
        }
        let items = try interpreter.sequence(value)
        if case .iterator = value { return .list(items.reversed()) }
        return .iterator(
            ValueIterator(
                items.reversed(), typeName: "list_reverseiterator", depth: 1 + value.depth))
    }

    private static func items(
        _: Interpreter, _ value: Value, _: Arguments
    ) throws -> Value {
        if value.isUndefined { return .iterator(ValueIterator([], typeName: "generator")) }
        let failure = Failure(.type, "Can only get item pairs from a mapping.")
        guard case .dictionary(let dictionary) = value else {
            return .iterator(ValueIterator("generator", depth: 1) { throw failure })
        }
        return .iterator(
            ValueIterator(dictionary.items, typeName: "generator", depth: 1 + value.depth))
    }

    private static func join(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_join", ["d", "attribute"])
        let separator = try (values[0] ?? .string("")).string(interpreter)
        let path = AttributePath(values[1] ?? .none)
        var result = ""
        var isFirst = true
        let items = try interpreter.iterate(value)
        while let item = try items.next() {
            let part = try path.value(of: item, interpreter).string(interpreter)
            try interpreter.charge(1 + (separator.utf8.count + part.utf8.count) / 16)
            if !isFirst { result += separator }
            isFirst = false
            result += part
            try interpreter.checkText(result)
        }
        return .string(result)
    }

    // MARK: - Order

    /// The work of sorting: each value is compared some log n times.
    private static func chargeSort(_ items: [Value], _ interpreter: Interpreter) throws {
        let comparisons = Int.bitWidth - items.count.leadingZeroBitCount
        let weight = ValueList(items).weight
        try interpreter.charge(min(weight, TemplateLimits.work) * (1 + comparisons))
    }

    private static func sort(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_sort", ["reverse", "case_sensitive", "attribute"])
        let isSensitive = values[1]?.isTrue ?? false
        let attribute = values[2] ?? .none
        let paths =
            attribute.text.map { text in
                TextSearch.split(text, ",", limit: -1).map { AttributePath(.string($0)) }
            } ?? [AttributePath(attribute)]
        let items = try interpreter.sequence(value)
        try chargeSort(items, interpreter)
        let sorted = try items.sorted(
            by: { item in
                .list(
                    try paths.map { path in
                        let key = try path.value(of: item, interpreter)
                        return isSensitive ? key : key.caseFolded
                    })
            }, reverse: values[0]?.isTrue ?? false)
        return .list(sorted)
    }

    private static func sortDictionary(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_dictsort", ["case_sensitive", "by", "reverse"])
        let by = values[1]?.text ?? "key"
        guard by == "key" || by == "value" else {
            throw Failure(
                .filterArgument, "You can only sort by either \"key\" or \"value\"")
        }
        if case .undefined(let undefined) = value { throw undefined.failure }
        guard case .dictionary(let dictionary) = value else {
            throw Failure(.type, "'\(value.typeName)' object has no attribute 'items'")
        }
        let isSensitive = values[0]?.isTrue ?? false
        try chargeSort(dictionary.items, interpreter)
        let sorted = try dictionary.items.sorted(
            by: { pair in
                let key = pair.items?[by == "key" ? 0 : 1] ?? .none
                return isSensitive ? key : key.caseFolded
            }, reverse: values[2]?.isTrue ?? false)
        return .list(sorted)
    }

    private static func extreme(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments, isMaximum: Bool
    ) throws -> Value {
        let values = try arguments.bind("do_min", ["case_sensitive", "attribute"])
        let path = AttributePath(values[1] ?? .none)
        let isSensitive = values[0]?.isTrue ?? false
        var best: (item: Value, key: Value)?
        for item in try interpreter.sequence(value) {
            try interpreter.charge(item.weight)
            let found = try path.value(of: item, interpreter)
            let key = isSensitive ? found : found.caseFolded
            guard let current = best else {
                best = (item, key)
                continue
            }
            let isBetter =
                try isMaximum ? key.isGreater(current.key) : key.isLess(current.key)
            if isBetter { best = (item, key) }
        }
        return best?.item ?? .undefined(Undefined("No aggregated item, sequence was empty."))
    }

    private static func group(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let names = ["attribute", "default", "case_sensitive"]
        let values = try arguments.bind("do_groupby", names, required: 1)
        let path = AttributePath(values[0] ?? .none)
        let fallback = Value.given(values[1])
        let isSensitive = values[2]?.isTrue ?? false
        func key(_ item: Value) throws -> Value {
            let key = try path.value(of: item, fallback: fallback, interpreter)
            return isSensitive ? key : key.caseFolded
        }
        let items = try interpreter.sequence(value)
        try chargeSort(items, interpreter)
        var groups: [(key: Value, items: [Value])] = []
        for item in try items.sorted(by: key, reverse: false) {
            let itemKey = try key(item)
            if let last = groups.last, last.key.equals(itemKey) {
                groups[groups.count - 1].items.append(item)
            } else {
                groups.append((itemKey, [item]))
            }
        }
        return .list(
            try groups.map { group in
                let name = try path.value(of: group.items[0], fallback: fallback, interpreter)
                var pair = ValueList([isSensitive ? group.key : name, .list(group.items)])
                pair.isGroup = true
                return .tuple(pair)
            })
    }

    // MARK: - Parts

    private static func batch(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_batch", ["linecount", "fill_with"], required: 1)
        return generator(of: value) { try batches(interpreter, value, values) }
    }

    private static func batches(
        _ interpreter: Interpreter, _ value: Value, _ values: [Value?]
    ) throws -> [Value] {
        let size = try (values[0] ?? .none).requireInteger()
        let items = try interpreter.sequence(value)
        try interpreter.charge(items: items.count + max(0, min(size, Int.max / 2)))
        // Like Jinja's, which only starts a new batch when the last is exactly full.
        let step = size > 0 ? size : max(1, items.count)
        var result = stride(from: 0, to: items.count, by: step).map { start in
            Array(items[start..<min(start + step, items.count)])
        }
        if let fill = Value.given(values[1]), let last = result.last, last.count < size {
            result[result.count - 1] += Array(repeating: fill, count: size - last.count)
        }
        return result.map { .list($0) }
    }

    private static func slice(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_slice", ["slices", "fill_with"], required: 1)
        return generator(of: value) { try slices(interpreter, value, values) }
    }

    private static func slices(
        _ interpreter: Interpreter, _ value: Value, _ values: [Value?]
    ) throws -> [Value] {
        let count = try (values[0] ?? .none).requireInteger()
        guard count != 0 else {
            throw Failure(.zeroDivision, "integer division or modulo by zero")
        }
        let items = try interpreter.sequence(value)
        try interpreter.charge(items: items.count + max(0, count))
        guard count > 0 else { return [] }
        let (size, longer) = (items.count / count, items.count % count)
        var start = 0
        return (0..<count).map { index in
            let end = start + size + (index < longer ? 1 : 0)
            defer { start = end }
            let fill = index >= longer ? Value.given(values[1]) : nil
            return Value.list(items[start..<end] + (fill.map { [$0] } ?? []))
        }
    }

    /// A generator whose items are made when the first is asked for.
    private static func generator(
        of value: Value, _ items: @escaping () throws -> [Value]
    ) -> Value {
        var source: ValueIterator?
        return .iterator(
            ValueIterator("generator", depth: 2 + value.depth) {
                let iterator = try source ?? ValueIterator(try items())
                source = iterator
                return try iterator.next()
            })
    }

    private static func sum(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_sum", ["attribute", "start"])
        let path = AttributePath(values[0] ?? .none)
        var total = values[1] ?? .int(0)
        if total.text != nil {
            throw Failure(.type, "sum() can't sum strings [use ''.join(seq) instead]")
        }
        for item in try interpreter.sequence(value) {
            let part = try path.value(of: item, interpreter)
            total = try Arithmetic.apply(.add, total, part, interpreter)
        }
        return total
    }
}
