package import OrderedJSON

/// What a model file says of its architecture, in GGUF metadata or in config.json: one reader, so
/// that one description of an architecture serves both.
package struct ModelSettings: Sendable {
    /// Where the settings stand.
    private enum Source: Sendable {
        case gguf([String: GGUFValue], prefix: String)
        case config(JSONValue, path: String)
    }

    /// One value and the name it has in its file.
    private struct Found {
        let field: String
        let value: GGUFValue
    }

    /// The file that errors name.
    package let file: String
    /// `general.architecture` of GGUF, `model_type` of config.json.
    package let architecture: String
    private let source: Source

    /// The metadata of a GGUF file.
    ///
    /// - Throws: `missing` without `general.architecture`.
    package init(_ file: GGUFFile) throws(ModelFileError) {
        self.file = file.path
        architecture = try file.require(
            "general.architecture", try file.string("general.architecture"))
        source = .gguf(file.metadata, prefix: architecture)
    }

    /// A parsed config.json.
    ///
    /// - Throws: `missing` without `model_type`.
    package init(config: JSONValue, file: String) throws(ModelFileError) {
        guard let type = config["model_type"]?.text else {
            throw ModelFileError(.missing, file: file, "model_type is missing or not a text")
        }
        self.init(config: config, file: file, architecture: type, path: "")
    }

    private init(config: JSONValue, file: String, architecture: String, path: String) {
        self.file = file
        self.architecture = architecture
        source = .config(config, path: path)
    }

    /// Whether the names and layouts are GGUF's.
    package var isGGUF: Bool {
        if case .gguf = source { return true }
        return false
    }

    /// A nested object of config.json as settings of their own; nil in GGUF or where it is absent.
    package func section(_ key: String) -> ModelSettings? {
        guard case .config(let json, let path) = source, let nested = json[key],
            case .object = nested
        else { return nil }
        return ModelSettings(
            config: nested, file: file, architecture: architecture, path: path + key + ".")
    }

    /// A whole number, or nil if it is not given. Of a GGUF list, one entry a layer, the number
    /// that all entries share.
    ///
    /// - Throws: `malformed` for another kind of value or one outside `range`.
    package func integer(
        _ name: SettingName, in range: ClosedRange<Int>
    ) throws(ModelFileError) -> Int? {
        guard let found = find(name) else { return nil }
        let number: Int?
        switch found.value {
        case .integer(let value): number = value
        case .integers(let values) where Set(values).count == 1: number = values.first
        default: number = nil
        }
        guard let number, range.contains(number) else {
            throw wrong(
                found, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A finite number, or nil if it is not given.
    ///
    /// - Throws: `malformed` for another kind of value.
    package func number(_ name: SettingName) throws(ModelFileError) -> Double? {
        guard let found = find(name) else { return nil }
        switch found.value {
        case .float(let value) where value.isFinite: return value
        case .integer(let value): return Double(value)
        default: throw wrong(found, "a finite number")
        }
    }

    /// A truth value, or nil if it is not given.
    ///
    /// - Throws: `malformed` for another kind of value.
    package func boolean(_ name: SettingName) throws(ModelFileError) -> Bool? {
        guard let found = find(name) else { return nil }
        guard case .boolean(let flag) = found.value else { throw wrong(found, "true or false") }
        return flag
    }

    /// A text, or nil if it is not given.
    ///
    /// - Throws: `malformed` for another kind of value.
    package func string(_ name: SettingName) throws(ModelFileError) -> String? {
        guard let found = find(name) else { return nil }
        guard case .string(let text) = found.value else { throw wrong(found, "a text") }
        return text
    }

    /// A list of whole numbers, or nil if it is not given.
    ///
    /// - Throws: `malformed` for another kind of value.
    package func integers(_ name: SettingName) throws(ModelFileError) -> [Int]? {
        guard let found = find(name) else { return nil }
        guard case .integers(let values) = found.value else {
            throw wrong(found, "a list of whole numbers")
        }
        return values
    }

    /// A list of texts, or nil if it is not given.
    ///
    /// - Throws: `malformed` for another kind of value.
    package func strings(_ name: SettingName) throws(ModelFileError) -> [String]? {
        guard let found = find(name) else { return nil }
        switch found.value {
        case .strings(let values): return values
        case .integers(let values) where values.isEmpty: return []
        default: throw wrong(found, "a list of texts")
        }
    }

    /// The value, or an error that names the missing setting.
    ///
    /// - Throws: `missing` where `value` is nil.
    package func require<Value>(
        _ name: SettingName, _ value: Value?
    ) throws(ModelFileError) -> Value {
        guard let value else {
            throw ModelFileError(.missing, file: file, "\(field(name)) is missing")
        }
        return value
    }

    /// An error about one setting that names it as its file does.
    package func error(
        _ code: ModelFileError.Code, _ name: SettingName, _ message: String
    ) -> ModelFileError {
        ModelFileError(code, file: file, "\(field(name)): \(message)")
    }

    /// The setting's name in this file, for error messages.
    private func field(_ name: SettingName) -> String {
        if let found = find(name) { return found.field }
        switch source {
        case .gguf(_, let prefix): return "metadata \(prefix).\(name.gguf ?? "")"
        case .config(_, let path): return "field \(path)\(name.config.first ?? "")"
        }
    }

    private func find(_ name: SettingName) -> Found? {
        switch source {
        case .gguf(let metadata, let prefix):
            guard let key = name.gguf, let value = metadata["\(prefix).\(key)"] else { return nil }
            return Found(field: "metadata \(prefix).\(key)", value: value)
        case .config(let json, let path):
            for key in name.config {
                guard let value = json[key] else { continue }
                return Found(field: "field \(path)\(key)", value: GGUFValue(value))
            }
            return nil
        }
    }

    private func wrong(_ found: Found, _ expected: String) -> ModelFileError {
        ModelFileError(
            .malformed, file: file, "\(found.field): \(found.value.summary) is not \(expected)")
    }
}

extension GGUFValue {
    /// The same value; what has no counterpart becomes its text, which no typed reader accepts as
    /// anything but a text.
    fileprivate init(_ json: JSONValue) {
        switch json {
        case .boolean(let flag): self = .boolean(flag)
        case .integer(let number): self = .integer(number)
        case .number(let number): self = .float(number)
        case .string(let text): self = .string(text.text)
        case .array(let values): self = Self.list(values)
        case .null, .object: self = .strings([json.summary])
        }
    }

    private static func list(_ values: [JSONValue]) -> GGUFValue {
        var integers: [Int] = []
        var texts: [String] = []
        for value in values {
            switch value {
            case .integer(let number): integers.append(number)
            case .string(let text): texts.append(text.text)
            default: return .booleans([])
            }
        }
        if texts.isEmpty { return .integers(integers) }
        return integers.isEmpty ? .strings(texts) : .booleans([])
    }
}
