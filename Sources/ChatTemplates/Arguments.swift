/// The evaluated arguments of a call.
struct Arguments {
    var positional: [Value] = []
    var keyword: [(name: String, value: Value)] = []

    /// Distributes the arguments over parameters, as Python does.
    ///
    /// - Parameters:
    ///   - function: the name for messages.
    ///   - names: all parameters in order. All can be given by name.
    ///   - required: how many of the first must be given.
    /// - Returns: a value or nil for each name.
    func bind(_ function: String, _ names: [String], required: Int = 0) throws -> [Value?] {
        guard positional.count <= names.count else {
            throw Failure(
                .type,
                "\(function)() takes at most \(names.count) arguments "
                    + "(\(positional.count) given)")
        }
        var values: [Value?] = positional
        values += Array(repeating: nil, count: names.count - positional.count)
        for (name, value) in keyword {
            guard let index = names.firstIndex(of: name) else {
                throw Failure(
                    .type, "\(function)() got an unexpected keyword argument '\(name)'")
            }
            guard values[index] == nil else {
                throw Failure(.type, "\(function)() got multiple values for argument '\(name)'")
            }
            values[index] = value
        }
        for index in 0..<required where values[index] == nil {
            throw Failure(
                .type, "\(function)() missing a required argument: '\(names[index])'")
        }
        return values
    }
}

extension Value {
    /// The value as text, which a parameter needs.
    func requireText(_ what: String) throws -> String {
        if case .undefined(let undefined) = self { throw undefined.failure }
        guard let text else {
            throw Failure(.type, "\(what) must be str, not \(typeName)")
        }
        return text
    }

    /// The value as an integer, which a parameter needs.
    func requireInteger() throws -> Int {
        if case .undefined(let undefined) = self { throw undefined.failure }
        guard let integer else {
            throw Failure(.type, "'\(typeName)' object cannot be interpreted as an integer")
        }
        return integer
    }
}
