/// The methods of Python's `str`.
enum StringMethods {
    static let all: [String: Methods.Body<String>] = [
        "capitalize": { text, _, _ in .string(text.pythonCapitalized) },
        "casefold": { text, _, _ in .string(text.caseFolded) },
        "center": { text, arguments, interpreter in
            try pad(text, arguments, interpreter) { margin, width in
                let left = margin / 2 + (margin & width & 1)
                return (left, margin - left)
            }
        },
        "count": count,
        "endswith": { text, arguments, _ in try matches(text, arguments) { $0.hasExactSuffix($1) }
        },
        "expandtabs": expandTabs,
        "find": { Value.int(try find($0, $1, $2, fromEnd: false) ?? -1) },
        "format": { Value.string(try BraceFormat.format($0, $1, $2)) },
        "format_map": formatMap,
        "index": { try index($0, $1, $2, fromEnd: false) },
        "isalnum": { text, _, _ in .bool(text.holds(\.isAlphanumeric)) },
        "isalpha": { text, _, _ in .bool(text.holds(\.isLetter)) },
        "isascii": { text, _, _ in .bool(text.utf8.allSatisfy { $0 < 0x80 }) },
        "isdecimal": { text, _, _ in .bool(text.holds(\.isDecimal)) },
        "isdigit": { text, _, _ in .bool(text.holds(\.isDigit)) },
        "isidentifier": { text, _, _ in .bool(text.isIdentifier) },
        "islower": { text, _, _ in .bool(text.isLowercased) },
        "isnumeric": { text, _, _ in .bool(text.holds { $0.properties.numericType != nil }) },
        "isprintable": { text, _, _ in .bool(text.unicodeScalars.allSatisfy(\.isPrintable)) },
        "isspace": { text, _, _ in .bool(text.holds(\.isPythonSpace)) },
        "istitle": { text, _, _ in .bool(text.isTitlecased) },
        "isupper": { text, _, _ in .bool(text.isUppercased) },
        "join": join,
        "ljust": { try pad($0, $1, $2) { margin, _ in (0, margin) } },
        "lower": { text, _, _ in .string(text.pythonLowercased) },
        "lstrip": { try strip($0, $1, left: true, right: false, $2) },
        "partition": { text, arguments, _ in try partition(text, arguments, fromEnd: false) },
        "removeprefix": { text, arguments, _ in
            let part = try arguments.bind("removeprefix", ["prefix"], required: 1)
            let prefix = try (part[0] ?? .none).requireText("removeprefix() argument")
            return .string(text.hasExactPrefix(prefix) ? text.dropping(prefix.utf8.count) : text)
        },
        "removesuffix": { text, arguments, _ in
            let part = try arguments.bind("removesuffix", ["suffix"], required: 1)
            let suffix = try (part[0] ?? .none).requireText("removesuffix() argument")
            guard text.hasExactSuffix(suffix) else { return .string(text) }
            return .string(text.slice(0, text.utf8.count - suffix.utf8.count))
        },
        "replace": replace,
        "rfind": { Value.int(try find($0, $1, $2, fromEnd: true) ?? -1) },
        "rindex": { try index($0, $1, $2, fromEnd: true) },
        "rjust": { try pad($0, $1, $2) { margin, _ in (margin, 0) } },
        "rpartition": { text, arguments, _ in try partition(text, arguments, fromEnd: true) },
        "rsplit": { try split($0, $1, $2, fromEnd: true) },
        "rstrip": { try strip($0, $1, left: false, right: true, $2) },
        "split": { try split($0, $1, $2, fromEnd: false) },
        "splitlines": { text, arguments, interpreter in
            let keeps = try arguments.bind("splitlines", ["keepends"])[0]?.isTrue ?? false
            let lines = TextSearch.lines(text, keepsEnds: keeps)
            try interpreter.charge(items: lines.count + text.utf8.count / 16)
            return .list(lines.map { .string($0) })
        },
        "startswith": { text, arguments, _ in
            try matches(text, arguments) { $0.hasExactPrefix($1) }
        },
        "strip": { try strip($0, $1, left: true, right: true, $2) },
        "swapcase": { text, _, _ in .string(text.swapcased) },
        "title": { text, _, _ in .string(text.pythonTitlecased) },
        "upper": { text, _, _ in .string(text.pythonUppercased) },
        "zfill": zeroFill,
    ]

    // MARK: - Searching

    /// The part of the text between the optional bounds, as scalars, and where it starts.
    private static func window(
        _ text: String, _ start: Value?, _ stop: Value?
    ) throws -> (scalars: ArraySlice<Unicode.Scalar>, start: Int, isValid: Bool) {
        let scalars = Array(text.unicodeScalars)
        func bound(_ value: Value?, _ otherwise: Int) throws -> Int {
            guard let value, !value.isNone else { return otherwise }
            let number = try value.requireInteger()
            return max(0, number < 0 ? number + scalars.count : number)
        }
        let first = try bound(start, 0)
        let last = min(scalars.count, try bound(stop, scalars.count))
        guard first <= last else { return ([], first, false) }
        return (scalars[first..<last], first, true)
    }

    private static func find(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter, fromEnd: Bool
    ) throws -> Int? {
        let values = try arguments.bind("find", ["sub", "start", "end"], required: 1)
        let part = Array(try (values[0] ?? .none).requireText("argument").utf8)
        try interpreter.charge(1 + text.utf8.count / 16)
        let (scalars, start, isValid) = try window(text, values[1], values[2])
        guard isValid else { return nil }
        let bytes = Array(String(scalars: scalars).utf8)
        let found =
            fromEnd
            ? TextSearch.last(part, in: bytes, before: bytes.count)
            : TextSearch.first(part, in: bytes)
        guard let found else { return nil }
        return start + String(decoding: bytes[..<found], as: UTF8.self).unicodeScalars.count
    }

    private static func index(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter, fromEnd: Bool
    ) throws -> Value {
        guard let index = try find(text, arguments, interpreter, fromEnd: fromEnd) else {
            throw Failure(.value, "substring not found")
        }
        return .int(index)
    }

    private static func count(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let values = try arguments.bind("count", ["sub", "start", "end"], required: 1)
        let part = try (values[0] ?? .none).requireText("argument")
        try interpreter.charge(1 + text.utf8.count / 16)
        let (scalars, _, isValid) = try window(text, values[1], values[2])
        guard isValid else { return .int(0) }
        if part.isEmpty { return .int(scalars.count + 1) }
        return .int(
            TextSearch.all(Array(part.utf8), in: Array(String(scalars: scalars).utf8)).count)
    }

    private static func matches(
        _ text: String, _ arguments: Arguments, _ isMatch: (String, String) -> Bool
    ) throws -> Value {
        let values = try arguments.bind("startswith", ["prefix", "start", "end"], required: 1)
        let (scalars, _, isValid) = try window(text, values[1], values[2])
        let part = String(scalars: scalars)
        var candidates = [values[0] ?? .none]
        if case .tuple(let list) = candidates[0] { candidates = list.items }
        for candidate in candidates {
            guard let candidate = candidate.text else {
                throw Failure(
                    .type,
                    "startswith first arg must be str or a tuple of str, not \(candidate.typeName)")
            }
            if isValid, isMatch(part, candidate) { return .bool(true) }
        }
        return .bool(false)
    }

    // MARK: - Taking apart and together

    private static func split(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter, fromEnd: Bool
    ) throws -> Value {
        let values = try arguments.bind("split", ["sep", "maxsplit"])
        let limit = try values[1]?.requireInteger() ?? -1
        try interpreter.charge(1 + text.utf8.count / 16)
        let parts: [String]
        if let separator = values[0], !separator.isNone {
            let separator = try separator.requireText("must be str or None")
            guard !separator.isEmpty else { throw Failure(.value, "empty separator") }
            parts =
                fromEnd
                ? TextSearch.splitFromEnd(text, separator, limit: limit)
                : TextSearch.split(text, separator, limit: limit)
        } else {
            parts = TextSearch.splitAtSpace(text, limit: limit, fromEnd: fromEnd)
        }
        try interpreter.charge(items: parts.count)
        return .list(parts.map { .string($0) })
    }

    private static func partition(
        _ text: String, _ arguments: Arguments, fromEnd: Bool
    ) throws -> Value {
        let value = try arguments.bind("partition", ["sep"], required: 1)[0] ?? .none
        let separator = try value.requireText("must be str")
        guard !separator.isEmpty else { throw Failure(.value, "empty separator") }
        let parts =
            fromEnd
            ? TextSearch.splitFromEnd(text, separator, limit: 1)
            : TextSearch.split(text, separator, limit: 1)
        let none = Value.string("")
        if parts.count == 2 {
            return .tuple([.string(parts[0]), .string(separator), .string(parts[1])])
        }
        return .tuple(fromEnd ? [none, none, .string(text)] : [.string(text), none, none])
    }

    private static func join(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let source = try arguments.bind("join", ["iterable"], required: 1)[0] ?? .none
        var result = ""
        for (index, item) in try interpreter.sequence(source).enumerated() {
            guard let part = item.text else {
                throw Failure(
                    .type,
                    "sequence item \(index): expected str instance, \(item.typeName) found")
            }
            if index > 0 { result += text }
            result += part
            try interpreter.charge(1 + (text.utf8.count + part.utf8.count) / 16)
            try interpreter.checkText(result)
        }
        return .string(result)
    }

    private static func replace(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let values = try arguments.bind("replace", ["old", "new", "count"], required: 2)
        let old = try (values[0] ?? .none).requireText("replace() argument 1")
        let new = try (values[1] ?? .none).requireText("replace() argument 2")
        let limit = try values[2]?.requireInteger() ?? -1
        return .string(try TextSearch.replace(text, old, new, limit: limit, interpreter))
    }

    private static func strip(
        _ text: String, _ arguments: Arguments, left: Bool, right: Bool, _ interpreter: Interpreter
    ) throws -> Value {
        let value = try arguments.bind("strip", ["chars"])[0] ?? .none
        let characters = value.isNone ? nil : try value.requireText("strip arg")
        try interpreter.charge(1 + text.utf8.count / 16)
        return .string(TextSearch.strip(text, characters, left: left, right: right))
    }

    // MARK: - Widths

    /// - Parameter share: the margins left and right for a total margin and the width.
    private static func pad(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter,
        _ share: (Int, Int) -> (Int, Int)
    ) throws -> Value {
        let values = try arguments.bind("center", ["width", "fillchar"], required: 1)
        let width = try (values[0] ?? .none).requireInteger()
        let fill = try values[1]?.requireText("The fill character") ?? " "
        guard fill.unicodeScalars.count == 1 else {
            throw Failure(.type, "The fill character must be exactly one character long")
        }
        let count = text.unicodeScalars.count
        guard width > count else { return .string(text) }
        let (left, right) = share(width - count, width)
        let before = try Arithmetic.repeated(fill, left, interpreter)
        return .string(
            try interpreter.charge(
                before + text + (try Arithmetic.repeated(fill, right, interpreter))))
    }

    private static func zeroFill(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let width = try (try arguments.bind("zfill", ["width"], required: 1)[0] ?? .none)
            .requireInteger()
        let missing = max(0, width - text.unicodeScalars.count)
        let zeros = try Arithmetic.repeated("0", missing, interpreter)
        let sign = text.unicodeScalars.first.map { $0 == "+" || $0 == "-" } ?? false
        return .string(sign ? text.slice(0, 1) + zeros + text.dropping(1) : zeros + text)
    }

    private static func expandTabs(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        let size = try arguments.bind("expandtabs", ["tabsize"])[0]?.requireInteger() ?? 8
        try interpreter.checkText(bytes: max(0, min(size, 1 << 30)))
        var result = ""
        var column = 0
        for scalar in text.unicodeScalars {
            if scalar == "\t" {
                let spaces = size > 0 ? size - column % size : 0
                result += try Arithmetic.repeated(" ", spaces, interpreter)
                column += spaces
            } else {
                result.unicodeScalars.append(scalar)
                column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
            }
            try interpreter.checkText(result)
        }
        return .string(result)
    }

    private static func formatMap(
        _ text: String, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> Value {
        guard case .dictionary(let values)? = try arguments.bind("format_map", ["map"])[0] else {
            throw Failure(.type, "format_map() takes exactly one dictionary")
        }
        let keyword = zip(values.keys, values.values).compactMap { key, value in
            key.text.map { (name: $0, value: value) }
        }
        return .string(try BraceFormat.format(text, Arguments(keyword: keyword), interpreter))
    }
}
