/// Breaks a line of text into lines of a width, as Python's `textwrap` does with white space kept.
struct WordWrapper {
    let width: Int
    let breaksLongWords: Bool
    let breaksOnHyphens: Bool

    /// The lines; none for text of white space only. O(length).
    func lines(of text: String) -> [String] {
        var chunks = Array(self.chunks(of: text).reversed())
        var result: [String] = []
        while !chunks.isEmpty {
            if !result.isEmpty, isSpace(chunks[chunks.count - 1]) { chunks.removeLast() }
            var line: [[Unicode.Scalar]] = []
            var length = 0
            while let chunk = chunks.last, length + chunk.count <= width {
                line.append(chunk)
                length += chunk.count
                chunks.removeLast()
            }
            if let chunk = chunks.last, chunk.count > width {
                place(chunk, &chunks, &line, room: max(1, width - length))
            }
            if let last = line.last, isSpace(last) { line.removeLast() }
            if !line.isEmpty { result.append(String(scalars: line.joined())) }
        }
        return result
    }

    private func place(
        _ chunk: [Unicode.Scalar], _ chunks: inout [[Unicode.Scalar]],
        _ line: inout [[Unicode.Scalar]], room: Int
    ) {
        if breaksLongWords {
            var end = room
            if breaksOnHyphens, let hyphen = chunk[..<room].lastIndex(of: "-"), hyphen > 0,
                chunk[..<hyphen].contains(where: { $0 != "-" })
            {
                end = hyphen + 1
            }
            line.append(Array(chunk[..<end]))
            chunks[chunks.count - 1] = Array(chunk[end...])
        } else if line.isEmpty {
            line.append(chunk)
            chunks.removeLast()
        }
    }

    private func isSpace(_ chunk: [Unicode.Scalar]) -> Bool { chunk.allSatisfy(Self.isBlank) }

    /// `textwrap` takes only these for white space.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || (0x09...0x0D).contains(scalar.value)
    }

    /// Words, parts of hyphenated words, and the white space between them.
    private func chunks(of text: String) -> [[Unicode.Scalar]] {
        var result: [[Unicode.Scalar]] = []
        var rest = Array(text.unicodeScalars)[...]
        while let first = rest.first {
            let blank = Self.isBlank(first)
            let run = rest.prefix { Self.isBlank($0) == blank }
            rest = rest.dropFirst(run.count)
            result += blank || !breaksOnHyphens ? [Array(run)] : parts(of: Array(run))
        }
        return result
    }

    /// A word cut after each hyphen between letters.
    private func parts(of word: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        var result: [[Unicode.Scalar]] = []
        var start = 0
        for index in word.indices.dropFirst(2).dropLast(2) where word[index] == "-" {
            let isBetween =
                word[index - 1].isLetter && word[index - 2].isWord && word[index + 1].isLetter
                && word[index + 2].isWord
            if isBetween, index - start >= 2 {
                result.append(Array(word[start...index]))
                start = index + 1
            }
        }
        return result + [Array(word[start...])]
    }
}
