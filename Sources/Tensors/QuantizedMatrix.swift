import CKernels

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
    /// The first `packedRows` rows again, packed for the kernels (`copied`); nil where they read
    /// `bytes`.
    var panels: WeightBytes?

    /// Whether it was copied into memory of this process, so that kernels read no mapped file.
    package var isCopied: Bool { panels != nil || !bytes.isMapped }

    /// Rows of a panel.
    static let panelRows = Int(MARTLET_PANEL_ROWS)

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
        var matrix = QuantizedMatrix(
            rows: range.count, columns: columns, format: format, bytes: part)
        matrix.panels = panels(of: range)
        return matrix
    }

    /// The whole panels of those rows; nil if these do not start at a panel.
    private func panels(of rows: Range<Int>) -> WeightBytes? {
        guard let panels, rows.lowerBound % Self.panelRows == 0 else { return nil }
        let end = min(panels.count, rows.upperBound * bytesPerRow)
        let start = min(end, rows.lowerBound * bytesPerRow)
        let panelBytes = max(1, Self.panelRows * bytesPerRow)
        return panels.slice(start..<start + (end - start) / panelBytes * panelBytes)
    }

    /// Rows that kernels read from `panels`.
    var packedRows: Int { (panels?.count ?? 0) / max(1, bytesPerRow) }

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
