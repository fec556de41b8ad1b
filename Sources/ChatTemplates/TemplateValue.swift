/// A value that is given to a template: JSON, with the order of keys kept and integers told from
/// floating-point numbers.
package enum TemplateValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([TemplateValue])
    case object(TemplateObject)
}

/// A dictionary with text keys that keeps the order in which keys were first set, as Python's do.
///
/// Keys are compared scalar by scalar, not by canonical equivalence as Swift's strings are.
package struct TemplateObject: Sendable, Equatable {
    /// The keys in order.
    package private(set) var keys: [String] = []
    /// The values in the order of `keys`.
    package private(set) var values: [TemplateValue] = []
    private var positions: [ExactKey: Int] = [:]

    /// An empty dictionary.
    package init() {}

    /// The pairs in order; of a key that comes twice the last value counts, at its first place.
    package init(_ pairs: [(String, TemplateValue)]) {
        for (key, value) in pairs { self[key] = value }
    }

    /// The value of `key`. Setting nil is a programmer error. O(length of the key).
    package subscript(key: String) -> TemplateValue? {
        get { positions[ExactKey(text: key)].map { values[$0] } }
        set {
            guard let newValue else { preconditionFailure("A template object keeps its keys.") }
            if let position = positions[ExactKey(text: key)] {
                values[position] = newValue
            } else {
                positions[ExactKey(text: key)] = keys.count
                keys.append(key)
                values.append(newValue)
            }
        }
    }

    /// Equal keys and values in any order, as in Python.
    package static func == (left: TemplateObject, right: TemplateObject) -> Bool {
        left.keys.count == right.keys.count && left.keys.allSatisfy { left[$0] == right[$0] }
    }
}

extension TemplateObject: ExpressibleByDictionaryLiteral {
    /// The pairs in the order of the literal.
    package init(dictionaryLiteral elements: (String, TemplateValue)...) { self.init(elements) }
}

/// A string that is equal only to the same scalars.
struct ExactKey: Hashable, Sendable {
    let text: String

    static func == (left: ExactKey, right: ExactKey) -> Bool { left.text.isExactly(right.text) }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

extension String {
    /// Whether both have the same scalars; `==` would take "é" and "e" with an accent as equal.
    func isExactly(_ other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    /// Python's order of strings: by scalar, which is the order of UTF-8 bytes.
    func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }

    /// Makes a string of scalars.
    init(scalars: some Sequence<Unicode.Scalar>) {
        self.init()
        unicodeScalars.append(contentsOf: scalars)
    }
}
