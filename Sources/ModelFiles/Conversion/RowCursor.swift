import Tensors

/// Encodes the rows of one tensor in chunks that never cross two of its parts.
///
/// A rearranged part is made once for all its chunks.
final class RowCursor {
    /// Numbers that are in memory at a time: 16 MiB of fp32 and as much or less of results.
    private static let numbersPerChunk = 1 << 22

    private let tensor: PlannedTensor
    private let threads: Int
    private let source: String
    private var current: (part: Int, encoder: RowEncoder)?

    /// - Parameter source: the path of the model, for error messages.
    init(tensor: PlannedTensor, threads: Int, source: String) {
        self.tensor = tensor
        self.threads = threads
        self.source = source
    }

    private var rowsPerChunk: Int {
        max(1, Self.numbersPerChunk / max(1, tensor.tensor.columns))
    }

    /// The next rows from `first` on, before `limit`, and their bytes; nil at the end.
    ///
    /// - Throws: `malformed` or `overLimit` for a number that the format cannot hold.
    func next(
        from first: Int, before limit: Int = .max
    ) throws(ModelFileError) -> (Range<Int>, RowEncoder.Encoded)? {
        var start = 0
        for (index, part) in tensor.tensor.parts.enumerated() {
            let end = start + part.rows
            if first < min(end, limit) {
                let rows = first..<min(end, limit, first + rowsPerChunk)
                let within = rows.lowerBound - start..<rows.upperBound - start
                let encoded = try encode(within, ofPart: index)
                if rows.upperBound == end { part.mapped?.withUnsafeBytes(MappedFile.release) }
                return (rows, encoded)
            }
            start = end
        }
        return nil
    }

    /// The bytes of some rows, whichever parts they are in.
    func encode(_ rows: Range<Int>) throws(ModelFileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var first = rows.lowerBound
        while let (found, encoded) = try next(from: first, before: rows.upperBound) {
            bytes += encoded.bytes
            first = found.upperBound
        }
        return bytes
    }

    /// Rows that tell whether `count` of them, written earlier, are these: the first, and the last
    /// few where the file ends, because there an interruption may have left holes.
    func samples(of count: Int, includingLast: Bool) -> [Range<Int>] {
        guard includingLast else { return [0..<1] }
        return [0..<1, max(0, count - rowsPerChunk)..<count]
    }

    private func encode(
        _ rows: Range<Int>, ofPart index: Int
    ) throws(ModelFileError) -> RowEncoder.Encoded {
        let encoder = encoder(ofPart: index)
        do throws(RowEncoder.Failure) {
            return try encoder.encode(rows, threads: threads)
        } catch {
            let value = error.value
            guard value.isFinite else {
                throw ModelFileError(
                    .malformed, file: source,
                    "tensor \(tensor.name) in the new file's names holds \(value); the model is "
                        + "damaged")
            }
            throw ModelFileError(
                .overLimit, file: source,
                "tensor \(tensor.name) in the new file's names holds \(value), the limit of "
                    + "\(tensor.format.name) is \(BlockFormat.largestMagnitude); choose bf16 for it"
            )
        }
    }

    private func encoder(ofPart index: Int) -> RowEncoder {
        if let current, current.part == index { return current.encoder }
        let part = tensor.tensor.parts[index]
        let made = RowEncoder(matrix: part.make(), source: part, format: tensor.format)
        current = (index, made)
        return made
    }
}
