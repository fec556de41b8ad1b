import Tensors

extension Matrix {
    /// Adds `bias`, one entry per column, to every row; an empty one adds nothing.
    mutating func addToRows(_ bias: [Float]) {
        guard !bias.isEmpty else { return }
        add(bias, toRows: 0..<rows)
    }

    /// Adds `bias`, one entry per column, to those rows.
    mutating func add(_ bias: [Float], toRows range: Range<Int>) {
        precondition(bias.count == columns, "a bias has one entry per column")
        precondition(range.upperBound <= rows, "the rows are in the matrix")
        let columns = columns
        values.withUnsafeMutableBufferPointer { values in
            for row in range {
                for column in 0..<columns { values[row * columns + column] += bias[column] }
            }
        }
    }

    /// Limits every element to ± `limit`.
    mutating func clamp(to limit: Float) {
        map(&values) { _, value in min(max(value, -limit), limit) }
    }

    /// Columns `first..<first + count` as a matrix of their own, `[rows × count]`.
    func columns(from first: Int, count: Int) -> Matrix {
        precondition(first >= 0 && first + count <= columns, "the columns are in the matrix")
        var part: [Float] = []
        part.reserveCapacity(rows * count)
        for row in 0..<rows {
            let start = row * columns + first
            part += values[start..<start + count]
        }
        return Matrix(rows: rows, columns: count, values: part)
    }

    /// Overwrites the columns from `first` on with `part`, which has as many rows.
    mutating func replaceColumns(from first: Int, by part: Matrix) {
        precondition(part.rows == rows && first + part.columns <= columns, "the part fits")
        for row in 0..<rows {
            let start = row * columns + first
            values.replaceSubrange(start..<start + part.columns, with: part.row(row))
        }
    }
}

/// Replaces every element, in one access to the array.
private func map(_ values: inout [Float], _ transform: (Int, Float) -> Float) {
    for index in values.indices { values[index] = transform(index, values[index]) }
}
