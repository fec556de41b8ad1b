import OrderedJSON

/// Takes the calls out of an answer of a model of the Hermes or Qwen family: JSON objects with
/// `name` and `arguments` between `<tool_call>` and `</tool_call>`.
struct ToolCallParser: Sendable {
    /// A call of a function.
    struct Call: Sendable, Equatable {
        let name: String
        /// JSON.
        let arguments: String
    }

    private static let start = Array("<tool_call>".utf8)
    private static let end = Array("</tool_call>".utf8)

    private var held: [UInt8] = []
    private var isInCall = false

    /// Takes a piece of the answer; returns the text and the calls that are certain now.
    mutating func append(_ piece: String) -> (text: String, calls: [Call]) {
        held += piece.utf8
        var text: [UInt8] = []
        var calls: [Call] = []
        while let found = held.firstRange(of: isInCall ? Self.end : Self.start) {
            let before = Array(held[..<found.lowerBound])
            if !isInCall {
                text += before
            } else if let call = Self.call(before) {
                calls.append(call)
            } else {
                text += Self.start + before + Self.end
            }
            held.removeFirst(found.upperBound)
            isInCall.toggle()
        }
        if !isInCall {
            let open = held.indices.first { Self.start.starts(with: held[$0...]) }
            text += held[..<(open ?? held.count)]
            held.removeFirst(open ?? held.count)
        }
        return (String(decoding: text, as: UTF8.self), calls)
    }

    /// What is left when the answer ends; a call that never ended is text unless it is whole.
    mutating func finish() -> (text: String, calls: [Call]) {
        defer { (held, isInCall) = ([], false) }
        if isInCall, let call = Self.call(held) { return ("", [call]) }
        return (String(decoding: (isInCall ? Self.start : []) + held, as: UTF8.self), [])
    }

    private static func call(_ bytes: [UInt8]) -> Call? {
        let rules = JSONRules(byteCount: 1 << 20, depth: 64, valueCount: 1 << 16)
        guard let json = try? JSONValue(json: bytes, rules: rules), let name = json["name"]?.text
        else { return nil }
        let arguments = json["arguments"] ?? .object([])
        return Call(
            name: name,
            arguments: arguments.text ?? String(decoding: arguments.jsonBytes, as: UTF8.self))
    }
}
