/// Filters that make text.
enum TextFilters {
    static let all: [String: Filters.Body] = [
        "capitalize": { try text($0, $1, $2, \.pythonCapitalized) },
        "center": center,
        "e": escape,
        "escape": escape,
        "forceescape": { interpreter, value, _ in
            .markup(HTMLText.escaped(try value.string(interpreter)))
        },
        "format": format,
        "indent": indent,
        "lower": { try text($0, $1, $2, \.pythonLowercased) },
        "replace": replace,
        "safe": { interpreter, value, _ in .markup(try value.string(interpreter)) },
        "string": { interpreter, value, _ in marked(try value.string(interpreter), as: value) },
        "striptags": stripTags,
        "title": { try text($0, $1, $2, title) },
        "tojson": { try JSONWriter.filter($1, $2, $0) },
        "trim": trim,
        "truncate": truncate,
        "upper": { try text($0, $1, $2, \.pythonUppercased) },
        "urlencode": urlEncode,
        "wordcount": wordCount,
        "wordwrap": wordWrap,
        "xmlattr": attributes,
    ]

    /// Text that stays marked as safe if the value was.
    private static func marked(_ text: String, as value: Value) -> Value {
        if case .markup = value { return .markup(text) }
        return .string(text)
    }

    private static func text(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments,
        _ transform: (String) -> String
    ) throws -> Value {
        _ = try arguments.bind("filter", [])
        let text = try value.string(interpreter)
        return marked(try interpreter.charge(transform(text)), as: value)
    }

    private static func escape(
        _ interpreter: Interpreter, _ value: Value, _: Arguments
    ) throws -> Value {
        .markup(try HTMLText.escaped(value, interpreter))
    }

    private static func method(
        _ name: String, _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let receiver = marked(try value.string(interpreter), as: value)
        let method = try interpreter.attribute(name, of: receiver)
        return try interpreter.call(method, arguments)
    }

    private static func trim(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let characters = try arguments.bind("do_trim", ["chars"])
        let given = Arguments(positional: characters.compactMap { $0 })
        return try method("strip", interpreter, value, given)
    }

    private static func center(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let width = try arguments.bind("do_center", ["width"])[0] ?? .int(80)
        return try method("center", interpreter, value, Arguments(positional: [width]))
    }

    private static func format(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        guard arguments.keyword.isEmpty || arguments.positional.isEmpty else {
            throw Failure(
                .filterArgument,
                "can't handle positional and keyword arguments at the same time")
        }
        let named = ValueDictionary(
            pairs: arguments.keyword.map { (.string($0.name), $0.value) })
        let values = named.count > 0 ? Value.dictionary(named) : .tuple(arguments.positional)
        let format = marked(try value.string(interpreter), as: value)
        return try Arithmetic.apply(.modulo, format, values, interpreter)
    }

    private static func replace(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_replace", ["old", "new", "count"], required: 2)
        let limit = try Value.given(values[2])?.requireInteger() ?? -1
        return .string(
            try TextSearch.replace(
                try value.string(interpreter), try (values[0] ?? .none).string(interpreter),
                try (values[1] ?? .none).string(interpreter), limit: limit, interpreter))
    }

    private static func indent(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let values = try arguments.bind("do_indent", ["width", "first", "blank"])
        let text = try value.requireText("the text to indent")
        let width = values[0] ?? .int(4)
        let margin =
            try width.text
            ?? Arithmetic.repeated(" ", try width.requireInteger(), interpreter)
        let lines = TextSearch.lines(text + "\n")
        try interpreter.charge(items: lines.count)
        try interpreter.checkText(
            bytes: text.utf8.count + min(1 << 40, lines.count * min(1 << 20, margin.utf8.count)))
        let indentsBlank = values[2]?.isTrue ?? false
        var result = values[1]?.isTrue ?? false ? margin : ""
        for (index, line) in lines.enumerated() {
            if index > 0 {
                result += "\n"
                if indentsBlank || !line.isEmpty { result += margin }
            }
            result += line
        }
        return marked(try interpreter.charge(result), as: value)
    }

    /// Jinja's own rule: words start after white space and `-({[<`.
    private static func title(_ text: String) -> String {
        var isStart = true
        let scalars = Array(text.unicodeScalars)
        return scalars.indices.map { index in
            let scalar = scalars[index]
            let isBreak = scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar)
            defer { isStart = isBreak }
            if isBreak { return String(scalar) }
            return isStart
                ? scalar.properties.uppercaseMapping : String.lowercased(scalars, index)
        }.joined()
    }

    private static func wordCount(
        _ interpreter: Interpreter, _ value: Value, _: Arguments
    ) throws -> Value {
        let text = try value.string(interpreter)
        let words = text.unicodeScalars.split { !$0.isWord }
        return .int(words.count)
    }

    private static func truncate(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let names = ["length", "killwords", "end", "leeway"]
        let values = try arguments.bind("do_truncate", names)
        let length = try values[0]?.requireInteger() ?? 255
        let end = try values[2]?.requireText("end") ?? "..."
        let leeway = try Value.given(values[3])?.requireInteger() ?? 5
        let kept = length - end.unicodeScalars.count
        guard kept >= 0, leeway >= 0 else {
            throw Failure(
                .value, "expected length >= \(end.unicodeScalars.count), got \(length)")
        }
        if let count = value.knownCount, count <= length + leeway { return value }
        let text = Array(try value.requireText("the text to truncate").unicodeScalars)
        var cut = text[..<min(kept, text.count)]
        if !(values[1]?.isTrue ?? false), let space = cut.lastIndex(of: " ") { cut = cut[..<space] }
        return marked(String(scalars: cut) + end, as: value)
    }

    private static func wordWrap(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"]
        let values = try arguments.bind("do_wordwrap", names)
        let width = try values[0]?.requireInteger() ?? 79
        guard width > 0 else { throw Failure(.value, "invalid width \(width) (must be > 0)") }
        let separator = try Value.given(values[2])?.requireText("wrapstring") ?? "\n"
        let wrapper = WordWrapper(
            width: width, breaksLongWords: values[1]?.isTrue ?? true,
            breaksOnHyphens: values[3]?.isTrue ?? true)
        let text = try value.requireText("the text to wrap")
        try interpreter.charge(text.utf8.count)
        let lines = TextSearch.lines(text).map { line in
            wrapper.lines(of: line).joined(separator: separator)
        }
        return .string(try interpreter.charge(lines.joined(separator: separator)))
    }

    private static func stripTags(
        _ interpreter: Interpreter, _ value: Value, _: Arguments
    ) throws -> Value {
        var text = try value.string(interpreter)
        for (start, end) in [("<!--", "-->"), ("<", ">")] {
            let pieces = TextSearch.split(text, start, limit: -1)
            text = pieces[0]
            for piece in pieces.dropFirst() {
                let parts = TextSearch.split(piece, end, limit: 1)
                text += parts.count == 2 ? parts[1] : start + piece
            }
        }
        let words = TextSearch.splitAtSpace(text, limit: -1, fromEnd: false)
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&#34;", "\""), ("&quot;", "\""),
            ("&amp;", "&"),
        ]
        let plain = try entities.reduce(words.joined(separator: " ")) { text, entity in
            try TextSearch.replace(text, entity.0, entity.1, limit: -1, interpreter)
        }
        return .string(plain)
    }

    private static func urlEncode(
        _ interpreter: Interpreter, _ value: Value, _: Arguments
    ) throws -> Value {
        func quoted(_ value: Value, isQuery: Bool) throws -> String {
            var result = ""
            for byte in try value.string(interpreter).utf8 {
                let scalar = Unicode.Scalar(byte)
                let isPlain =
                    byte < 0x80 && scalar.isAlphanumeric
                    || "_.-~".unicodeScalars.contains(scalar)
                if isPlain || (scalar == "/" && !isQuery) {
                    result.unicodeScalars.append(scalar)
                } else {
                    let digits = String(byte, radix: 16, uppercase: true).leftPadded
                    result += scalar == " " && isQuery ? "+" : "%" + digits
                }
            }
            return result
        }
        if value.text != nil || (value.knownCount == nil && !value.isUndefined) {
            return .string(try interpreter.charge(try quoted(value, isQuery: false)))
        }
        var pairs = try interpreter.sequence(value)
        if case .dictionary(let dictionary) = value { pairs = dictionary.items }
        let parts = try pairs.map { pair in
            let parts = try interpreter.sequence(pair)
            guard parts.count == 2 else { throw Failure(.value, "urlencode needs pairs") }
            return try quoted(parts[0], isQuery: true) + "=" + quoted(parts[1], isQuery: true)
        }
        return .string(try interpreter.charge(parts.joined(separator: "&")))
    }

    private static func attributes(
        _ interpreter: Interpreter, _ value: Value, _ arguments: Arguments
    ) throws -> Value {
        guard case .dictionary(let dictionary) = value else {
            throw Failure(.type, "xmlattr needs a dictionary, not \(value.typeName)")
        }
        let startsWithSpace = try arguments.bind("do_xmlattr", ["autospace"])[0]?.isTrue ?? true
        var parts: [String] = []
        for (key, value) in zip(dictionary.keys, dictionary.values)
        where !value.isNone && !value.isUndefined {
            let name = try key.requireText("an attribute's name")
            let isInvalid = name.unicodeScalars.contains { scalar in
                scalar.isASCII && scalar.isPythonSpace || "/>=".unicodeScalars.contains(scalar)
            }
            guard !isInvalid else {
                throw Failure(
                    .value, "Invalid character in attribute name: \(Value.quoted(name))")
            }
            let escaped = try HTMLText.escaped(value, interpreter)
            parts.append("\(HTMLText.escaped(name))=\"\(escaped)\"")
        }
        let text = parts.joined(separator: " ")
        return .string(startsWithSpace && !text.isEmpty ? " " + text : text)
    }
}

extension String {
    fileprivate var leftPadded: String { utf8.count == 1 ? "0" + self : self }
}
