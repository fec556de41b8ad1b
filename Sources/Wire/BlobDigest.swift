/// The SHA-256 of a blob, which is also its name: in manifests, in requests and in a disk cache.
///
/// Wire carries digests; whoever has the bytes computes and compares them.
package struct BlobDigest: Hashable, Codable, Sendable, CustomStringConvertible {
    /// Bytes of a SHA-256.
    package static let byteCount = 32

    /// The 32 bytes.
    package let bytes: [UInt8]

    /// Wraps a computed hash.
    ///
    /// - Precondition: 32 bytes.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == BlobDigest.byteCount, "a SHA-256 has 32 bytes")
        self.bytes = bytes
    }

    /// Reads 64 lower-case hexadecimal digits; nil when `hexadecimal` is anything else.
    package init?(hexadecimal: String) {
        guard let bytes = Hexadecimal.decode(hexadecimal, count: BlobDigest.byteCount) else {
            return nil
        }
        self.bytes = bytes
    }

    /// Reads the digits from JSON.
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let digest = BlobDigest(hexadecimal: text) else {
            throw WireError(.invalid, "a digest must be 64 lower-case hexadecimal digits")
        }
        self = digest
    }

    /// Writes the digits.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The 64 digits.
    package var description: String { Hexadecimal.encode(bytes) }
}
