/// Keys from names that may have any characters.
package enum RegistryKey {
    /// The key of a name under a prefix: what a key's part may not have is written as "%" and two
    /// hexadecimal digits for each byte of UTF-8.
    package static func key(_ prefix: String, _ name: String) -> String {
        prefix
            + name.utf8.map { byte in
                isPart(byte) ? String(UnicodeScalar(byte)) : "%" + hexadecimal(byte)
            }.joined()
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        isAllowed(byte) && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "%")
    }

    /// Printable ASCII other than space: in such keys, order and prefixes of characters are those
    /// of bytes.
    static func isAllowed(_ byte: UInt8) -> Bool { 0x21...0x7E ~= byte }
}
