import OrderedJSON

extension SchemaNode {
    /// The keywords that `allows(_:)` looks at, and those that list the values.
    static let keywordsBesideValues: Set<String> = [
        "enum", "const", "type", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum",
        "minLength", "maxLength", "uniqueItems",
    ]

    /// Whether one of the listed values is of the right type, in bounds, and as long as it has to
    /// be.
    func allows(_ value: JSONValue) -> Bool {
        guard kinds?.contains(where: value.isOf) ?? true else { return false }
        if let text = value.text {
            let length = text.unicodeScalars.count
            return length >= lengthLeast && length <= lengthMost ?? .max
        }
        return lower.allSatisfy { value.isAbove($0) } && upper.allSatisfy { value.isBelow($0) }
    }
}

extension JSONValue {
    /// Whether it is a value of that kind; 1.0 is a whole number.
    fileprivate func isOf(_ kind: ValueKind) -> Bool {
        switch self {
        case .null: kind == .null
        case .boolean: kind == .boolean
        case .integer: kind == .integer || kind == .number
        case .number(let value):
            kind == .number || kind == .integer && value.rounded() == value
        case .string: kind == .string
        case .array: kind == .array
        case .object: kind == .object
        }
    }

    /// What is no number has no bounds.
    fileprivate func isAbove(_ bound: SchemaNode.Bound) -> Bool {
        compared(to: bound.value).map { bound.isExclusive ? $0 > 0 : $0 >= 0 } ?? true
    }

    fileprivate func isBelow(_ bound: SchemaNode.Bound) -> Bool {
        compared(to: bound.value).map { bound.isExclusive ? $0 < 0 : $0 <= 0 } ?? true
    }

    /// -1, 0 or 1 as it is less than, equal to or more than the other number; exact for whole ones.
    private func compared(to other: JSONValue) -> Int? {
        if case .integer(let left) = self, case .integer(let right) = other {
            return left < right ? -1 : left == right ? 0 : 1
        }
        guard let left = double, let right = other.double else { return nil }
        return left < right ? -1 : left == right ? 0 : 1
    }

    private var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }
}
