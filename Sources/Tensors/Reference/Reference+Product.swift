extension Reference {
    /// Blocks of 32: scale = max|x| / 127, q = x · (127 / max|x|) to the nearest, ties to even.
    /// Tiny blocks become zeros; infinities and NaN make the scale, and so every product, NaN
    /// (CKernels.h says why).
    static func quantize(_ matrix: Matrix) -> QuantizedRows {
        var rows = QuantizedRows(quants: [], scales: [], sums: [])
        for start in stride(from: 0, to: matrix.values.count, by: 32) {
            let block = matrix.values[start..<start + 32]
            let finite = block.allSatisfy(\.isFinite)
            let largest = finite ? block.map(\.magnitude).reduce(0, max) : .nan
            let inverse = largest >= 0x1p-120 ? 127 / largest : 0
            let quants = block.map { x in
                inverse == 0 ? 0 : Int8((x * inverse).rounded(.toNearestOrEven))
            }
            rows.quants += quants
            rows.scales.append(largest < 0x1p-120 ? 0 : largest / 127)
            rows.sums.append(quants[..<16].reduce(0) { $0 + Int32($1) })
            rows.sums.append(quants[16...].reduce(0) { $0 + Int32($1) })
        }
        return rows
    }

    /// See `product(_:_:)`.
    static func product(_ weights: QuantizedMatrix, _ inputs: Activations) -> Matrix {
        var result = Matrix(rows: inputs.rows, columns: weights.rows)
        for row in 0..<weights.rows {
            if let blocks = IntegerRow(weights, row) {
                for token in 0..<inputs.rows {
                    result[token, row] = blocks.dot(inputs.quantized, token)
                }
            } else {
                let numbers = weights.dequantizedRow(row)
                for token in 0..<inputs.rows {
                    result[token, row] = dot(numbers, Array(inputs.matrix.row(token)))
                }
            }
        }
        return result
    }

    private static func dot(_ a: [Float], _ b: [Float]) -> Float {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                guard let first = a.baseAddress, let second = b.baseAddress else { return 0 }
                return dot(first, second, count: a.count)
            }
        }
    }
}
