/// `[rows × columns]` weights in blocks along columns, row-major.
package struct QuantizedMatrix: Sendable {
    /// Number of rows: the outputs of a product.
    package let rows: Int
    /// Number of columns: the inputs of a product; a whole number of blocks.
    package let columns: Int
    /// How each row is stored.
    package let format: BlockFormat
    /// The rows one after another, `rows × bytesPerRow` bytes.
    package let bytes: WeightBytes

    /// A matrix over `bytes`, whose count must be that of `rows × columns` weights in `format`.
    package init(rows: Int, columns: Int, format: BlockFormat, bytes: WeightBytes) {
        precondition(rows >= 0, "A matrix cannot have a negative size.")
        precondition(
            bytes.count == rows * format.byteCount(elements: columns),
            "A quantised matrix needs exactly the bytes of its rows × columns weights.")
        self.rows = rows
        self.columns = columns
        self.format = format
        self.bytes = bytes
    }

    /// The same numbers as `matrix`, stored as fp32.
    package init(_ matrix: Matrix) {
        let bytes = matrix.values.withUnsafeBytes { WeightBytes(Array($0)) }
        self.init(rows: matrix.rows, columns: matrix.columns, format: .f32, bytes: bytes)
    }

    /// The size of one row in bytes.
    package var bytesPerRow: Int { format.byteCount(elements: columns) }

    /// The rows of `range` as a matrix of their own, without copying.
    package func rows(_ range: Range<Int>) -> QuantizedMatrix {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= rows, "The rows are outside the matrix.")
        let part = bytes.slice(range.lowerBound * bytesPerRow..<range.upperBound * bytesPerRow)
        return QuantizedMatrix(rows: range.count, columns: columns, format: format, bytes: part)
    }

    /// Row `index` as fp32 numbers, `[columns]`.
    package func dequantizedRow(_ index: Int) -> [Float] {
        let row = rows(index..<index + 1)
        return [Float](unsafeUninitializedCapacity: columns) { output, initialized in
            row.bytes.withUnsafeBytes {
                format.dequantize($0, into: output.extracting(0..<columns))
            }
            initialized = columns
        }
    }
}
