import OrderedJSON

/// Takes the calls out of an answer, as it comes.
struct ToolCallParser: Sendable {
    /// What an answer is made of.
    enum Piece: Sendable, Equatable {
        case text(String)
        /// A call begins.
        case call(name: String)
        /// More of the arguments of the call that began last, JSON.
        case arguments(String)
    }

    /// Where in an answer it is.
    private enum Place: Sendable, Equatable {
        case text, header, arguments, tail
        /// Between two calls of an array.
        case between
    }

    private let format: ToolCallFormat
    /// How many calls may still come; the others are left out.
    private var left: Int
    private var place: Place
    private var held: [UInt8] = []
    private var scanner = ObjectScanner()
    private var hasCalls = false
    /// Whether the call that is being read is one too many.
    private var isSuperfluous = false

    /// - Parameter most: calls that are taken out; others are dropped.
    init(_ format: ToolCallFormat, most: Int = .max) {
        self.format = format
        left = most
        // A Llama's call has no mark in front.
        place = format == .llama3 ? .header : .text
    }

    /// Takes a piece of the answer; returns what is certain now.
    mutating func append(_ piece: String) -> [Piece] {
        held += piece.utf8
        var pieces: [Piece] = []
        while step(&pieces) {}
        return pieces
    }

    /// What is left when the answer ends: what has not become a call is text.
    mutating func finish() -> [Piece] {
        var pieces: [Piece] = []
        if place == .header, !held.isEmpty { giveUp(&pieces, isEnd: true) }
        if place == .text { tell(held, &pieces, isEnd: true) }
        held = []
        return pieces
    }

    /// One step onwards; false if more has to come first.
    private mutating func step(_ pieces: inout [Piece]) -> Bool {
        guard !held.isEmpty else { return false }
        switch place {
        case .text: return stepText(&pieces)
        case .header: return stepHeader(&pieces)
        case .arguments:
            let (count, isEnd) = scanner.take(held)
            if !isSuperfluous {
                pieces.append(.arguments(String(decoding: held[..<count], as: UTF8.self)))
            }
            held.removeFirst(count)
            if isEnd { place = .tail }
            return isEnd
        case .tail:
            guard let end = held.firstRange(of: Array(format.end.utf8)) else { return false }
            held.removeFirst(end.upperBound)
            place = format == .mistral ? .between : .text
            return true
        case .between:
            let byte = held.removeFirst()
            if byte == UInt8(ascii: ",") { place = .header }
            if byte == UInt8(ascii: "]") { place = .text }
            return true
        }
    }

    private mutating func stepText(_ pieces: inout [Piece]) -> Bool {
        let marks = ([format.start] + format.frame).map { Array($0.utf8) }
        let found = marks.compactMap { mark in held.firstRange(of: mark) }
            .min { $0.lowerBound < $1.lowerBound }
        guard let found else {
            let open = held.indices.first { place in
                marks.contains { $0.starts(with: held[place...]) }
            }
            let certain = Array(held[..<(open ?? held.count)])
            if tell(certain, &pieces, isEnd: false) { held.removeFirst(certain.count) }
            return false
        }
        tell(Array(held[..<found.lowerBound]), &pieces, isEnd: false)
        let isStart = held[found].elementsEqual(marks[0])
        held.removeFirst(found.upperBound)
        if isStart { place = .header }
        return true
    }

    /// Tells of text, but for blanks behind a call, behind which another one may come.
    @discardableResult
    private func tell(_ bytes: [UInt8], _ pieces: inout [Piece], isEnd: Bool) -> Bool {
        guard !bytes.isEmpty else { return true }
        let isBlank = bytes.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D }
        if hasCalls, isBlank { return false }
        pieces.append(.text(String(decoding: bytes, as: UTF8.self)))
        return true
    }

    private mutating func stepHeader(_ pieces: inout [Piece]) -> Bool {
        if format == .mistral, let first = held.first(where: { $0 != 0x20 && $0 != 0x0A }),
            first == UInt8(ascii: "[")
        {
            held.removeSubrange(...(held.firstIndex(of: first) ?? 0))
        }
        let start = Array(format.start.utf8)
        if format == .llama3, !hasCalls, held.starts(with: start) { held.removeFirst(start.count) }
        if format == .llama3, !hasCalls, start.starts(with: held) { return false }
        let header =
            format.separator.map { ToolCallHeader.named(held, before: $0) }
            ?? ToolCallHeader.json(held)
        switch header {
        case .open: return false
        case .whole(let name, let length):
            held.removeFirst(length)
            begin(name, &pieces)
            place = .arguments
            return true
        case .wrong: return giveUp(&pieces, isEnd: false)
        }
    }

    private mutating func begin(_ name: String, _ pieces: inout [Piece]) {
        isSuperfluous = left == 0
        hasCalls = true
        scanner = ObjectScanner()
        guard !isSuperfluous else { return }
        left -= 1
        pieces.append(.call(name: name))
    }

    /// What follows the mark is not as usual: a call in another order, or text after all.
    @discardableResult
    private mutating func giveUp(_ pieces: inout [Piece], isEnd: Bool) -> Bool {
        let mark = format == .llama3 ? [] : Array(format.start.utf8)
        guard format == .hermes else {
            pieces.append(.text(String(decoding: mark + held, as: UTF8.self)))
            held = []
            place = .text
            return false
        }
        let end = Array(format.end.utf8)
        let found = held.firstRange(of: end)
        guard let inside = found.map({ Array(held[..<$0.lowerBound]) }) ?? (isEnd ? held : nil)
        else { return false }
        held.removeFirst(found?.upperBound ?? held.count)
        place = .text
        if let (name, arguments) = Self.call(inside) {
            begin(name, &pieces)
            if !isSuperfluous { pieces.append(.arguments(arguments)) }
        } else {
            let text = mark + inside + (found == nil ? [] : end)
            pieces.append(.text(String(decoding: text, as: UTF8.self)))
        }
        return true
    }

    /// A whole call as a JSON object.
    private static func call(_ bytes: [UInt8]) -> (name: String, arguments: String)? {
        let rules = JSONRules(byteCount: 1 << 20, depth: 64, valueCount: 1 << 16)
        guard let json = try? JSONValue(json: bytes, rules: rules), let name = json["name"]?.text
        else { return nil }
        let arguments = json["arguments"] ?? .object([])
        return (
            name, arguments.text ?? String(decoding: arguments.jsonBytes, as: UTF8.self)
        )
    }
}
