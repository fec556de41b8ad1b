/// A row-major fp32 matrix: element (row, column) is `values[row * columns + column]`.
package struct Matrix: Sendable, Equatable {
    /// Number of rows.
    package let rows: Int
    /// Number of columns.
    package let columns: Int
    /// `[rows × columns]`, row-major; its count never changes. No observer watches that: with one,
    /// another module's in-place change would copy the whole matrix.
    package var values: [Float]

    /// A matrix of zeros, `[rows × columns]`.
    package init(rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0, "A matrix cannot have a negative size.")
        self.init(rows: rows, columns: columns, values: Array(repeating: 0, count: rows * columns))
    }

    /// A matrix of the given `values`, `[rows × columns]`, row-major.
    package init(rows: Int, columns: Int, values: [Float]) {
        precondition(
            rows >= 0 && columns >= 0 && values.count == rows * columns,
            "A matrix needs exactly rows × columns values.")
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    /// The element at (`row`, `column`).
    package subscript(row: Int, column: Int) -> Float {
        get { values[offset(row, column)] }
        set { values[offset(row, column)] = newValue }
    }

    /// Row `index`, `[columns]`, without copying.
    package func row(_ index: Int) -> ArraySlice<Float> {
        precondition(index >= 0 && index < rows, "The row is outside the matrix.")
        return values[index * columns..<(index + 1) * columns]
    }

    /// The rows named by `indices`, in that order, `[indices.count × columns]`.
    package func gatheringRows(_ indices: [Int]) -> Matrix {
        let count = indices.count * columns
        let gathered = [Float](unsafeUninitializedCapacity: count) { output, initialized in
            for (position, index) in indices.enumerated() {
                let target = output.extracting(position * columns..<(position + 1) * columns)
                _ = target.initialize(fromContentsOf: row(index))
            }
            initialized = count
        }
        return Matrix(rows: indices.count, columns: columns, values: gathered)
    }

    /// Adds `other`, of the same shape, elementwise.
    package mutating func add(_ other: Matrix) {
        precondition(
            other.rows == rows && other.columns == columns,
            "Only matrices of one shape can be added.")
        values.withUnsafeMutableBufferPointer { sums in
            other.values.withUnsafeBufferPointer { terms in
                for index in 0..<sums.count { sums[index] += terms[index] }
            }
        }
    }

    /// Adds `scale` times row `sourceRow` of `source` to row `row`.
    ///
    /// Each product is rounded before it is added (never fused): the sum of several experts'
    /// outputs has the same bits whether a worker or the base station scales them.
    package mutating func addScaled(row: Int, _ scale: Float, _ source: Matrix, sourceRow: Int) {
        precondition(source.columns == columns, "Rows of different lengths cannot be added.")
        precondition(row >= 0 && row < rows, "The row is outside the matrix.")
        precondition(sourceRow >= 0 && sourceRow < source.rows, "The row is outside the source.")
        let start = row * columns
        let sourceStart = sourceRow * columns
        let count = columns
        values.withUnsafeMutableBufferPointer { sums in
            source.values.withUnsafeBufferPointer { terms in
                for index in 0..<count {
                    sums[start + index] += scale * terms[sourceStart + index]
                }
            }
        }
    }

    private func offset(_ row: Int, _ column: Int) -> Int {
        precondition(
            row >= 0 && row < rows && column >= 0 && column < columns,
            "The element is outside the matrix.")
        return row * columns + column
    }
}
