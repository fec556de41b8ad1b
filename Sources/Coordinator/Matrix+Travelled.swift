import Tensors
import Wire

extension Matrix {
    /// What is left of activations after the codec: row by row, all of a row that it cannot carry.
    func travelled(_ codec: ActivationCodec) -> Matrix {
        guard codec != .fp32 else { return self }
        if let bytes = try? codec.encode(self),
            let decoded = try? codec.decode(bytes, rows: rows, columns: columns)
        {
            return decoded
        }
        guard rows > 1 else { return self }
        return Matrix(
            rows: rows, columns: columns,
            values: (0..<rows).flatMap { gatheringRows([$0]).travelled(codec).values })
    }
}
