/// GPT-2's printable names of the 256 bytes: a byte-level vocabulary spells a token with them.
///
/// Printable Latin-1 bytes stand for themselves; the other 68 are U+0100... in order.
enum ByteLevelAlphabet {
    /// The scalar that stands for each byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0)..<256).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
            default:
                defer { next += 1 }
                return next
            }
        }
    }()

    /// The byte that each scalar below U+0144 stands for; -1 for none.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
        return bytes
    }()

    /// `raw` bytes spelled in the alphabet, as UTF-8.
    static func spelled(_ raw: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in raw { UTF8Text.append(scalars[Int(byte)], to: &result) }
        return result
    }

    /// The bytes that a token spells; the token's own UTF-8 when a scalar is not of the alphabet,
    /// as added tokens may have it.
    ///
    /// - Parameter token: valid UTF-8.
    static func bytes(spelledBy token: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        while position < token.count {
            let scalar = UTF8Text.scalar(in: token, at: position)
            guard scalar.value < bytes.count, bytes[Int(scalar.value)] >= 0 else { return token }
            result.append(UInt8(bytes[Int(scalar.value)]))
            position += scalar.count
        }
        return result
    }
}
