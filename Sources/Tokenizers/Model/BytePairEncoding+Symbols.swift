/// The tokens that stand for single bytes.
extension BytePairEncoding {
    /// Ids of GPT-2's 256 byte names; -1 where the vocabulary has none.
    static func byteLevelIDs(_ vocabulary: Vocabulary) -> [Int32] {
        (UInt8.min...UInt8.max).map { byte in
            Int32(vocabulary.id(of: ByteLevelAlphabet.spelled([byte])) ?? -1)
        }
    }

    /// Ids of "<0x00>"..."<0xFF>"; -1 where the vocabulary has none.
    static func byteTokenIDs(_ vocabulary: Vocabulary) -> [Int32] {
        (UInt8.min...UInt8.max).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            let name = "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
            return Int32(vocabulary.id(of: Array(name.utf8)) ?? -1)
        }
    }

    /// Whether text may be cut where no merge crosses, without changing its tokens.
    var allowsCutting: Bool {
        guard let scalars else { return false }
        return !ignoresMerges && scalars.isContextFree
    }
}
