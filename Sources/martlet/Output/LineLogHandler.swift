import Foundation
import Logging

/// Writes what happens to standard error, a line each: time (UTC), level, message, then `key=value`
/// in order of keys, as `2026-01-31T12:00:00.000Z info request id=req-1 status=200`. A value with
/// spaces, quotes or "=" stands in JSON's quotes, so that lines can be taken apart again.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level

    init(_ level: Logger.Level) { logLevel = level }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        Output.note(
            Self.line(Date(), event.level, "\(event.message)", all.mapValues { "\($0)" }))
    }

    /// One line, without its end.
    static func line(
        _ time: Date, _ level: Logger.Level, _ message: String, _ values: [String: String]
    ) -> String {
        let stamp = time.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true)
                .timeZone(separator: .omitted))
        let pairs = values.sorted { $0.key < $1.key }.map { " \($0.key)=\(quoted($0.value))" }
        return "\(stamp) \(level) \(message.replacing("\n", with: " "))" + pairs.joined()
    }

    private static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
        }
        guard value.isEmpty || !isPlain, let data = try? JSONEncoder().encode(value) else {
            return value
        }
        return String(decoding: data, as: UTF8.self)
    }
}
