/// The first symbols of a piece when the vocabulary is spelled in characters, as SentencePiece's
/// is.
struct ScalarAlphabet: Sendable {
    /// Ids of the tokens "<0x00>"..."<0xFF>"; -1 where the vocabulary has none. Empty: no fallback.
    let byteIDs: [Int32]
    /// Stands for a scalar that is neither a token nor made of byte tokens; nil: dropped.
    let unknownID: Int32?
    /// Whether neighbouring unknown scalars are one unknown token.
    let fusesUnknown: Bool

    /// Whether every scalar has symbols of its own, whatever its neighbours are. A dropped scalar
    /// makes its neighbours meet.
    var isContextFree: Bool {
        let isComplete = byteIDs.count == 256 && !byteIDs.contains(-1)
        return isComplete || unknownID != nil && !fusesUnknown
    }

    /// Appends the symbols of `text[piece]`, in the order Hugging Face's BPE has: an unknown token
    /// waits until a known scalar follows.
    func append(
        _ text: [UInt8], _ piece: Range<Int>, _ vocabulary: Vocabulary,
        to symbols: inout [Int32]
    ) {
        var waiting: Int32?
        var position = piece.lowerBound
        while position < piece.upperBound {
            let end = position + UTF8Text.scalar(in: text, at: position).count
            defer { position = end }
            if let id = vocabulary.modelID(of: text, position..<end) {
                if let unknown = waiting { symbols.append(unknown) }
                waiting = nil
                symbols.append(Int32(id))
            } else if appendBytes(text, position..<end, to: &symbols) {
                continue
            } else if let unknownID {
                if let unknown = waiting, !fusesUnknown { symbols.append(unknown) }
                waiting = unknownID
            }
        }
        if let waiting { symbols.append(waiting) }
    }

    private func appendBytes(
        _ text: [UInt8], _ scalar: Range<Int>, to symbols: inout [Int32]
    ) -> Bool {
        guard !byteIDs.isEmpty, text[scalar].allSatisfy({ byteIDs[Int($0)] >= 0 }) else {
            return false
        }
        for byte in text[scalar] { symbols.append(byteIDs[Int(byte)]) }
        return true
    }
}
