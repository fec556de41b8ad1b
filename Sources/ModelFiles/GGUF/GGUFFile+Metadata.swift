extension GGUFFile {
    /// A whole number, or nil if the key is absent.
    ///
    /// - Throws: `malformed` if the key holds something else or lies outside `range`.
    package func integer(
        _ key: String, in range: ClosedRange<Int>
    ) throws(ModelFileError) -> Int? {
        guard let value = metadata[key] else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw wrong(
                key, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A finite number, or nil if the key is absent.
    ///
    /// - Throws: `malformed` if the key holds something else.
    package func float(_ key: String) throws(ModelFileError) -> Double? {
        guard let value = metadata[key] else { return nil }
        switch value {
        case .float(let number) where number.isFinite: return number
        case .integer(let number): return Double(number)
        default: throw wrong(key, value, "a finite number")
        }
    }

    /// A truth value, or nil if the key is absent.
    ///
    /// - Throws: `malformed` if the key holds something else.
    package func boolean(_ key: String) throws(ModelFileError) -> Bool? {
        guard let value = metadata[key] else { return nil }
        guard case .boolean(let flag) = value else { throw wrong(key, value, "true or false") }
        return flag
    }

    /// A text, or nil if the key is absent.
    ///
    /// - Throws: `malformed` if the key holds something else.
    package func string(_ key: String) throws(ModelFileError) -> String? {
        guard let value = metadata[key] else { return nil }
        guard case .string(let text) = value else { throw wrong(key, value, "a text") }
        return text
    }

    /// The value, or an error that names the missing key.
    package func require<Value>(
        _ key: String, _ value: Value?
    ) throws(ModelFileError) -> Value {
        guard let value else {
            throw ModelFileError(.missing, file: path, "metadata \(key) is missing")
        }
        return value
    }

    func wrong(_ key: String, _ value: GGUFValue, _ expected: String) -> ModelFileError {
        ModelFileError(
            .malformed, file: path, "metadata \(key): \(value.summary) is not \(expected)")
    }
}
