/// One metadata value. The format's ten number types are read into two; arrays are of one type.
package enum GGUFValue: Sendable, Equatable {
    case integer(Int)
    case float(Double)
    case boolean(Bool)
    case string(String)
    case integers([Int])
    case floats([Double])
    case booleans([Bool])
    case strings([String])

    /// A short text for `martlet inspect`: long strings and arrays are cut.
    package var summary: String {
        switch self {
        case .integer(let value): "\(value)"
        case .float(let value): "\(Float(value))"
        case .boolean(let value): "\(value)"
        case .string(let value): Self.cut(value)
        case .integers(let values): "[\(values.count) integers]"
        case .floats(let values): "[\(values.count) floats]"
        case .booleans(let values): "[\(values.count) booleans]"
        case .strings(let values): "[\(values.count) strings]"
        }
    }

    private static func cut(_ text: String) -> String {
        let line = text.prefix(60).map { $0.isNewline ? " " : String($0) }.joined()
        return text.count > 60 ? line + "… (\(text.utf8.count) bytes)" : line
    }
}
