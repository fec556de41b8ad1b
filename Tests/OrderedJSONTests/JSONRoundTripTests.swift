import OrderedJSON
import SystemModel
import Testing

/// Random values written in random spellings are read as what they were; damage never crashes.
struct JSONRoundTripTests {
    static let rules = JSONRules(byteCount: 1 << 20, depth: 8, valueCount: 1 << 16)

    @Test(arguments: UInt64(0)..<200)
    func writtenValuesAreReadBack(seed: UInt64) throws {
        var writer = RandomJSON(seed: seed)
        let value = writer.value(depth: 0)
        let text = writer.spell(value)
        #expect(
            try JSONValue(json: Array(text.utf8), rules: Self.rules) == value,
            "seed \(seed): \(text)")
    }

    @Test func damageIsReadOrRefused() {
        var (readCount, refusedCount) = (0, 0)
        for seed in UInt64(0)..<2000 {
            var writer = RandomJSON(seed: seed)
            let value = writer.value(depth: 0)
            var json = Array(writer.spell(value).utf8)
            json[writer.number(below: json.count)] = UInt8(writer.number(below: 256))
            json.removeLast(writer.number(below: 3) % json.count)
            do throws(JSONError) {
                _ = try JSONValue(json: json, rules: Self.rules)
                readCount += 1
            } catch {
                refusedCount += 1
                #expect((0...json.count).contains(error.offset), "seed \(seed)")
            }
        }
        #expect(readCount > 100)
        #expect(refusedCount > 100)
    }
}

/// Makes JSON values and spells each in one of the ways that RFC 8259 allows.
private struct RandomJSON {
    private static let scalars: [Unicode.Scalar] = [
        "a", "Z", "7", "\"", "\\", "/", "\u{8}", "\u{C}", "\n", "\r", "\t", "\0", "\u{1F}",
        "\u{7F}", "é", "\u{301}", "ß", "\u{2028}", "文", "\u{FFFD}", "\u{FFFF}", "🦊", "\u{10FFFF}",
    ]
    private static let shortEscapes: [Unicode.Scalar: String] = [
        "\"": "\\\"", "\\": "\\\\", "/": "\\/", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n",
        "\r": "\\r", "\t": "\\t",
    ]
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func number(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

    mutating func value(depth: Int) -> JSONValue {
        switch number(below: depth < 6 ? 8 : 5) {
        case 0: return .null
        case 1: return .boolean(Bool.random(using: &generator))
        case 2:
            let bits = number(below: 64)
            return .integer(Int(truncatingIfNeeded: generator.next()) >> bits)
        case 3: return .number(finiteDouble())
        case 4: return .string(string())
        case 5, 6: return .array((0..<number(below: 6)).map { _ in value(depth: depth + 1) })
        default:
            return .object(
                (0..<number(below: 6)).map { _ in
                    JSONValue.Member(key: string(), value: value(depth: depth + 1))
                })
        }
    }

    private mutating func finiteDouble() -> Double {
        let number = Double(bitPattern: generator.next())
        return number.isFinite ? number : 0.1
    }

    private mutating func string() -> JSONString {
        var text = ""
        for _ in 0..<number(below: 12) {
            text.unicodeScalars.append(Self.scalars[number(below: Self.scalars.count)])
        }
        return JSONString(stringLiteral: text)
    }

    mutating func spell(_ value: JSONValue) -> String {
        space() + spellBare(value) + space()
    }

    private mutating func spellBare(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .boolean(let flag): return flag ? "true" : "false"
        case .integer(let number): return "\(number)"
        case .number(let number): return spell(number)
        case .string(let string): return spell(string)
        case .array(let elements): return "[\(list(elements.map { spell($0) }))]"
        case .object(let members):
            let spelled = members.map { member in
                space() + spell(member.key) + space() + ":" + spell(member.value)
            }
            return "{\(list(spelled))}"
        }
    }

    private mutating func list(_ items: [String]) -> String {
        items.isEmpty ? space() : items.joined(separator: ",")
    }

    /// Shortest digits, which Swift writes with a point or an exponent.
    private mutating func spell(_ number: Double) -> String {
        let text = "\(number)"
        return Bool.random(using: &generator) ? text.uppercased() : text
    }

    private mutating func spell(_ string: JSONString) -> String {
        var text = "\""
        for scalar in string.text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            switch number(below: 3) {
            case 0 where !mustEscape: text.unicodeScalars.append(scalar)
            case 1: text += Self.shortEscapes[scalar] ?? unicodeEscape(scalar)
            default: text += unicodeEscape(scalar)
            }
        }
        return text + "\""
    }

    private mutating func unicodeEscape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16, uppercase: Bool.random(using: &generator))
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    private mutating func space() -> String {
        ["", "", "", " ", "\n", "\r\n\t"][number(below: 6)]
    }
}
