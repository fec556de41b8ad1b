/// 128 random bits by which a device's bulk connection proves that it belongs to its control
/// connection. It protects against mix-ups and guesses, not against who can read the network.
package struct SessionToken: Hashable, Codable, Sendable {
    private static let byteCount = 16

    private let high: UInt64
    private let low: UInt64

    /// Draws a token. Give it a generator that cannot be predicted; tests give a seeded one.
    package static func random(using generator: inout some RandomNumberGenerator) -> SessionToken {
        SessionToken(high: generator.next(), low: generator.next())
    }

    /// Reads 32 lower-case hexadecimal digits; nil when `hexadecimal` is anything else.
    package init?(hexadecimal: String) {
        guard let bytes = Hexadecimal.decode(hexadecimal, count: Self.byteCount) else { return nil }
        self.init(
            high: bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) },
            low: bytes[8...].reduce(0) { $0 << 8 | UInt64($1) })
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the digits from JSON.
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let token = SessionToken(hexadecimal: text) else {
            throw WireError(.invalid, "a session token must be 32 lower-case hexadecimal digits")
        }
        self = token
    }

    /// Writes the digits.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hexadecimal)
    }

    /// The 32 digits.
    package var hexadecimal: String {
        Hexadecimal.encode(
            [high, low].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
            })
    }
}
