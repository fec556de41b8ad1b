#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A control message: a value that travels as JSON in a frame of its own kind.
///
/// These are rare (joining, assigning, failing), so they are readable rather than compact. What
/// is on the hot path is binary.
package protocol JSONMessage: Codable, Sendable {
    /// The kind of its frames.
    static var kind: Frame.Kind { get }

    /// Checks every field against `Limits`. Runs on what arrives and on what leaves.
    func validate() throws(WireError)
}

extension JSONMessage {
    /// Reads and validates the message in a frame.
    ///
    /// - Throws: `WireError` when the frame is of another kind, is no such JSON, or a field is
    ///   outside its limits.
    package init(frame: Frame) throws(WireError) {
        guard frame.kind == Self.kind else {
            throw WireError(.invalid, "a \(Self.kind) frame was expected, not \(frame.kind)")
        }
        try self.init(json: frame.payload)
    }

    /// The message in a frame.
    ///
    /// - Throws: `WireError` when a field is outside its limits, or all of it together is longer
    ///   than `Limits.controlMessageBytes`.
    package func frame() throws(WireError) -> Frame {
        Frame(kind: Self.kind, payload: try json())
    }

    init(json: [UInt8]) throws(WireError) {
        try Self.requireSize(json.count)
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(json))
        } catch {
            throw Self.describe(error)
        }
        try validate()
    }

    func json() throws(WireError) -> [UInt8] {
        try validate()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(self))
        } catch {
            throw Self.describe(error)
        }
        try Self.requireSize(bytes.count)
        return bytes
    }

    private static func requireSize(_ count: Int) throws(WireError) {
        guard count <= Limits.controlMessageBytes else {
            throw WireError(
                .limitExceeded,
                "\(Self.self): \(count) bytes of JSON; at most \(Limits.controlMessageBytes)")
        }
    }

    /// One line that names the message and the field.
    private static func describe(_ error: any Error) -> WireError {
        switch error {
        case let error as WireError:
            error
        case DecodingError.keyNotFound(let key, _):
            WireError(.invalid, "\(Self.self): the field \(key.stringValue) is missing")
        case DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context):
            WireError(.invalid, "\(Self.self): \(path(context)) has the wrong type")
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            WireError(.invalid, "\(Self.self): \(path(context)) has a value it may not have")
        default:
            WireError(.invalid, "\(Self.self): the payload is not the JSON of this message")
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        return Requirements.line(path.joined(separator: "."), limit: Limits.nameBytes)
    }
}
