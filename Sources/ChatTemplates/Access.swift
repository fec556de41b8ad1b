/// Attributes, items and membership.
extension Interpreter {
    /// `object.name`: an attribute if the value's Python type has one, else the item.
    func attribute(_ name: String, of object: Value) throws -> Value {
        if case .undefined(let undefined) = object { throw undefined.failure }
        if let value = try pythonAttribute(name, of: object) { return value }
        return try plainItem(.string(name), of: object) ?? missing(.string(name), object)
    }

    /// `object[key]`: the item, else the attribute of that name.
    func item(_ key: Value, of object: Value) throws -> Value {
        if case .undefined(let undefined) = object { throw undefined.failure }
        if let value = try plainItem(key, of: object) { return value }
        if let name = key.text, let value = try pythonAttribute(name, of: object) { return value }
        return missing(key, object)
    }

    /// What Jinja calls an object without the item or attribute.
    private func missing(_ key: Value, _ object: Value) -> Value {
        let type: String
        switch object {
        case .none: type = "None"
        case .loop: type = "jinja2.runtime.LoopContext object"
        case .macro: type = "jinja2.runtime.Macro object"
        case .undefined: type = "jinja2.runtime.Undefined object"
        default: type = "\(object.typeName) object"
        }
        if let name = key.text {
            return .undefined(Undefined("'\(type)' has no attribute \(Value.quoted(name))"))
        }
        let name = (try? key.representation(self)) ?? "?"
        return .undefined(Undefined("\(type) has no element \(name)"))
    }

    private func pythonAttribute(_ name: String, of object: Value) throws -> Value? {
        switch object {
        case .namespace(let namespace): return namespace.attributes[name]
        case .loop(let loop):
            if let value = try loop.attribute(name) { return value }
            switch name {
            case "previtem": return .undefined(Undefined("there is no previous item"))
            case "nextitem": return .undefined(Undefined("there is no next item"))
            default: break
            }
        case .macro(let macro):
            if name == "name" { return macro.name.map { .string($0) } ?? Value.none }
        case .function(let function):
            let isDictionary = function.name == "dict" && name == "fromkeys"
            if isDictionary { return Methods.method(name, of: .dictionary(ValueDictionary())) }
        case .tuple(let list) where list.isGroup:
            if name == "grouper" { return list.items[0] }
            if name == "list" { return list.items[1] }
        default: break
        }
        if Self.isHidden(name, of: object) {
            return .undefined(
                Undefined(
                    "access to attribute '\(name)' of '\(object.typeName)' object is unsafe.",
                    code: .security))
        }
        return Methods.method(name, of: object)
    }

    private static let listMutators: Set<String> = [
        "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
    ]
    private static let dictionaryMutators: Set<String> = [
        "clear", "pop", "popitem", "setdefault", "update",
    ]
    private static let objectAttributes: Set<String> = [
        "__class__", "__doc__", "__init__", "__dict__", "__module__", "__eq__", "__hash__",
        "__repr__", "__str__", "__getattribute__", "__setattr__", "__reduce__", "__subclasshook__",
        "__init_subclass__", "__new__", "__dir__", "__sizeof__", "__format__",
    ]

    /// Whether the attribute exists in Python but the immutable sandbox hides it.
    private static func isHidden(_ name: String, of object: Value) -> Bool {
        switch object {
        case .list where listMutators.contains(name): true
        case .dictionary where dictionaryMutators.contains(name): true
        default: objectAttributes.contains(name)
        }
    }

    /// The item, or nil where Python would raise an error that Jinja turns into undefined.
    private func plainItem(_ key: Value, of object: Value) throws -> Value? {
        switch object {
        case .dictionary(let dictionary):
            try charge(key.weight)
            return key.isHashable ? dictionary[key] : nil
        case .list(let list), .tuple(let list):
            return position(key, list.items.count).map { list.items[$0] }
        case .range(let range): return position(key, range.count).map { range[$0] }
        case .string(let text), .markup(let text):
            let scalars = text.unicodeScalars
            guard key.integer != nil else { return nil }
            try charge(text.utf8.count / 16)
            guard let position = position(key, scalars.count) else { return nil }
            return .string(String(scalars[scalars.index(scalars.startIndex, offsetBy: position)]))
        default: return nil
        }
    }

    private func position(_ key: Value, _ count: Int) -> Int? {
        guard let index = key.integer, index >= -count, index < count else { return nil }
        return index < 0 ? index + count : index
    }

    // MARK: - Iteration

    /// What a loop over the value visits.
    func iterate(_ value: Value) throws -> ValueIterator {
        switch value {
        case .iterator(let iterator): return iterator
        default: return ValueIterator(try sequence(value), depth: 1 + value.depth)
        }
    }

    /// All items of the value; what is left of an iterator is used up.
    func sequence(_ value: Value) throws -> [Value] {
        switch value {
        case .list(let list), .tuple(let list): return list.items
        case .dictionary(let dictionary): return dictionary.keys
        case .view(let kind, let dictionary): return dictionary.shown(kind)
        case .range(let range): return range.items
        case .undefined: return []
        case .string(let text), .markup(let text):
            try charge(items: text.unicodeScalars.count)
            return text.unicodeScalars.map { .string(String($0)) }
        case .iterator(let iterator):
            var items: [Value] = []
            while let item = try iterator.next() {
                items.append(item)
                try charge(1)
            }
            return items
        default: throw Failure(.type, "'\(value.typeName)' object is not iterable")
        }
    }

    /// Python's `value in container`.
    func contains(_ value: Value, in container: Value) throws -> Bool {
        try charge(container.weight)
        switch container {
        case .string(let text), .markup(let text):
            guard let part = value.text else {
                throw Failure(
                    .type, "'in <string>' requires string as left operand, not \(value.typeName)")
            }
            return TextSearch.first(part, in: text) != nil
        case .dictionary(let dictionary), .view(.keys, let dictionary):
            try value.checkHashable(self)
            return dictionary[value] != nil
        case .iterator(let iterator):
            while let item = try iterator.next() {
                try charge(item.weight)
                if item.equals(value) { return true }
            }
            return false
        case .none, .bool, .int, .float, .namespace, .macro, .function:
            throw Failure(.type, "argument of type '\(container.typeName)' is not iterable")
        default: return try sequence(container).contains { $0.equals(value) }
        }
    }

    /// Python's `len(value)`.
    func length(_ value: Value) throws -> Int {
        guard let count = value.knownCount else {
            throw Failure(.type, "object of type '\(value.typeName)' has no len()")
        }
        return count
    }
}
