import Foundation
import OrderedJSON

/// What a planning problem's file may ask for.
enum ProblemLimits {
    static let json = JSONRules(
        byteCount: 256 << 20, depth: 8, valueCount: 1 << 24, refusals: .repeatedKeys)
    /// Far beyond a cell; keeps a plan within a second.
    static let devices = 100_000
    static let tokens = 1_000_000
    static let experts = 4_096
    /// Kept small, so that a token's own lists are.
    static let perToken = 64
    static let models = 64
    static let servers = 10_000
    static let users = 100_000
    static let layers = 1_000
    /// Of all models and layers together.
    static let allExperts = 1 << 18
    /// Servers times users: each pair has a time.
    static let reaches = 1 << 26
    /// Sets of all activations together.
    static let sets = 1 << 21
    /// A pebibyte; sums of them must not overflow.
    static let bytes = 1 << 50
    /// Any physical quantity of a problem, in its unit. Larger ones overflow when multiplied.
    static let quantity = 1e30
    /// The smallest positive quantity, for the same reason.
    static let leastQuantity = 1e-60
}

/// A value of a problem's JSON file and where it stands, so that a refusal names file and field.
struct ProblemField {
    let file: String
    let path: String
    private let value: JSONValue?

    /// Reads a whole file.
    init(file: String) throws {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: file))
        } catch {
            throw CommandError("\(file): cannot be read: \(CommandError.reason(error))")
        }
        do {
            value = try JSONValue(json: [UInt8](bytes), rules: ProblemLimits.json)
        } catch {
            throw CommandError("\(file): \(error)")
        }
        self.file = file
        path = ""
    }

    private init(file: String, path: String, value: JSONValue?) {
        self.file = file
        self.path = path
        self.value = value
    }

    var isMissing: Bool { value == nil || value == .null }

    /// A member; missing where there is none.
    subscript(_ name: String) -> ProblemField {
        ProblemField(
            file: file, path: path.isEmpty ? name : "\(path).\(name)", value: value?[name])
    }

    /// Refuses members that nobody reads: a typing error would silently be a default.
    func allow(_ names: [String]) throws {
        guard case .object(let members) = value else { throw wrong("an object") }
        if let unknown = members.first(where: { !names.contains($0.key.text) }) {
            throw CommandError(
                "\(file): \(path.isEmpty ? "" : path + ".")\(unknown.key.excerpt) is unknown, "
                    + "known are \(names.joined(separator: ", "))")
        }
    }

    /// The elements of an array of `count` elements.
    func elements(_ count: ClosedRange<Int>) throws -> [ProblemField] {
        guard case .array(let values) = value else { throw wrong("an array") }
        guard count ~= values.count else {
            throw CommandError(
                "\(file): \(path) has \(values.count) elements, the limit is "
                    + "\(count.lowerBound) to \(count.upperBound)")
        }
        return values.enumerated().map {
            ProblemField(file: file, path: "\(path)[\($0)]", value: $1)
        }
    }

    /// The members of an object of at most `most` members, in order.
    func members(most: Int) throws -> [(name: String, field: ProblemField)] {
        guard case .object(let members) = value else { throw wrong("an object") }
        guard members.count <= most else {
            throw CommandError(
                "\(file): \(path) has \(members.count) members, the limit is \(most)")
        }
        return members.map { member in
            let name = member.key.text
            return (
                name, ProblemField(file: file, path: "\(path).\(name)", value: member.value)
            )
        }
    }

    /// The number of a name among `names`.
    func choice(_ names: [String: Int], of kind: String) throws -> Int {
        let name = try text()
        guard let number = names[name] else { throw unknown(kind) }
        return number
    }

    /// Refuses a name that nothing has.
    func unknown(_ kind: String) -> CommandError {
        let name = value?.text.map { "\"\($0)\" " } ?? ""
        return CommandError("\(file): \(path) \(name)names no \(kind) of the problem")
    }

    /// Refuses with a sentence about this place.
    func refused(_ why: String) -> CommandError {
        CommandError("\(file): \(path) \(why)")
    }

    func integer(_ range: ClosedRange<Int>) throws -> Int {
        guard case .integer(let whole) = value, range ~= whole else {
            throw wrong("a whole number \(range.lowerBound) to \(range.upperBound)")
        }
        return whole
    }

    func number(_ range: ClosedRange<Double>) throws -> Double {
        let number: Double
        switch value {
        case .integer(let whole): number = Double(whole)
        case .number(let other): number = other
        default: throw wrong("a number \(range.lowerBound) to \(range.upperBound)")
        }
        guard range ~= number else {
            throw wrong("a number \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A quantity over 0.
    func positive() throws -> Double {
        try number(ProblemLimits.leastQuantity...ProblemLimits.quantity)
    }

    /// A quantity of 0 or more.
    func notNegative() throws -> Double {
        try number(0...ProblemLimits.quantity)
    }

    func text() throws -> String {
        guard let text = value?.text else { throw wrong("a text") }
        return text
    }

    private func wrong(_ expected: String) -> CommandError {
        let place = path.isEmpty ? "the file" : path
        guard !isMissing, let value else {
            return CommandError("\(file): \(place) is missing, expected \(expected)")
        }
        return CommandError("\(file): \(place) is \(value.excerpt), expected \(expected)")
    }
}

extension JSONValue {
    /// A short text for error messages.
    fileprivate var excerpt: String {
        switch self {
        case .null: "null"
        case .boolean(let flag): "\(flag)"
        case .integer(let whole): "\(whole)"
        case .number(let number): "\(number)"
        case .string(let string): string.excerpt
        case .array(let values): "an array of \(values.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}
