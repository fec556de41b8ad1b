import Tensors

extension QuantizedMatrix {
    /// A copy with rows and columns exchanged, in the same format, or in fp32 where the format
    /// packs several elements of a row.
    func transposed() -> QuantizedMatrix {
        transposedColumns(from: 0, by: 1)
    }

    /// A copy whose rows are every `step`-th column from `first` on.
    ///
    /// - Complexity: O(rows × columns); for use once, when a model opens.
    func transposedColumns(from first: Int, by step: Int) -> QuantizedMatrix {
        let chosen = Array(stride(from: first, to: columns, by: step))
        guard format.elementsPerBlock == 1 else {
            let numbers = (0..<rows).map { dequantizedRow($0) }
            let values = chosen.flatMap { column in numbers.map { $0[column] } }
            return QuantizedMatrix(Matrix(rows: chosen.count, columns: rows, values: values))
        }
        let (size, stride) = (format.bytesPerBlock, bytesPerRow)
        var copy = [UInt8](repeating: 0, count: chosen.count * rows * size)
        bytes.withUnsafeBytes { source in
            for (target, column) in chosen.enumerated() {
                for row in 0..<rows {
                    let (from, to) = (row * stride + column * size, (target * rows + row) * size)
                    for byte in 0..<size { copy[to + byte] = source[from + byte] }
                }
            }
        }
        return QuantizedMatrix(
            rows: chosen.count, columns: rows, format: format, bytes: WeightBytes(copy))
    }
}
