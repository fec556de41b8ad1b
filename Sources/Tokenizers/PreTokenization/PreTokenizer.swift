/// One step of cutting text into the pieces that the model encodes on their own.
enum PreTokenizationStep: Sendable {
    case split(Split)
    /// Replaces spaces by `replacement`, puts one in front as `prepend` says, and cuts before each.
    case metaspace(replacement: UInt32, prepend: PrependScheme, isSplitting: Bool)
    /// Puts a space in front of text that does not begin with one.
    case prefixSpace
}

/// When a leading space is added.
enum PrependScheme: String, Sendable, CaseIterable {
    case always, never
    /// Only at the very beginning of the text, not after an added token.
    case first
}

/// Cuts text into pieces; tokens never cross from one piece into the next.
struct PreTokenizer: Sendable {
    var steps: [PreTokenizationStep] = []

    /// Cuts `text`, rewriting it where a step says so.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8 between two added tokens.
    ///   - isFirst: whether `text` begins the whole input.
    /// - Returns: the pieces, as ranges of the rewritten text, in order; none is empty.
    func pieces(_ text: inout [UInt8], isFirst: Bool) -> [Range<Int>] {
        var pieces = text.isEmpty ? [] : [0..<text.count]
        for step in steps {
            switch step {
            case .split(let split):
                var next: [Range<Int>] = []
                next.reserveCapacity(pieces.count)
                for piece in pieces { split.append(text, piece, to: &next) }
                pieces = next
            case .prefixSpace:
                rewrite(&text, &pieces) { piece, _ in
                    piece.first == 0x20 ? Array(piece) : [0x20] + piece
                }
            case .metaspace(let replacement, let prepend, let isSplitting):
                let mark = scalarBytes(replacement)
                rewrite(&text, &pieces) { piece, isAtStart in
                    Self.marked(piece, mark, prepends(prepend, isFirst && isAtStart))
                }
                guard isSplitting else { continue }
                let split = Split(pattern: Pattern(literal: mark), behavior: .mergedWithNext)
                var next: [Range<Int>] = []
                for piece in pieces { split.append(text, piece, to: &next) }
                pieces = next
            }
        }
        return pieces
    }

    private func prepends(_ scheme: PrependScheme, _ isAtStart: Bool) -> Bool {
        scheme == .always || scheme == .first && isAtStart
    }

    private static func marked(
        _ piece: ArraySlice<UInt8>, _ mark: [UInt8], _ isPrepending: Bool
    ) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(piece.count + piece.count / 2)
        for byte in piece {
            if byte == 0x20 { result += mark } else { result.append(byte) }
        }
        return isPrepending && !result.starts(with: mark) ? mark + result : result
    }

    private func scalarBytes(_ scalar: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        UTF8Text.append(scalar, to: &bytes)
        return bytes
    }

    private func rewrite(
        _ text: inout [UInt8], _ pieces: inout [Range<Int>],
        _ body: (ArraySlice<UInt8>, Bool) -> [UInt8]
    ) {
        var result: [UInt8] = []
        for index in pieces.indices {
            let start = result.count
            result += body(text[pieces[index]], pieces[index].lowerBound == 0)
            pieces[index] = start..<result.count
        }
        text = result
    }
}
