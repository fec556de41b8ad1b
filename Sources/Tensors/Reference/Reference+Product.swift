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
            rows.sums.append(quants.reduce(0) { $0 + Int32($1) })
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

    /// One row of Q8_0 or Q4_0 weights as integers and scales.
    private struct IntegerRow {
        var quants: [Int32] = []
        var scales: [Float] = []

        /// Nil where the format is multiplied as fp32.
        init?(_ weights: QuantizedMatrix, _ row: Int) {
            guard weights.format == .q8_0 || weights.format == .q4_0 else { return nil }
            weights.rows(row..<row + 1).bytes.withUnsafeBytes { bytes in
                let size = weights.format.bytesPerBlock
                for start in stride(from: 0, to: bytes.count, by: size) {
                    append(Array(bytes[start..<start + size]), weights.format)
                }
            }
        }

        private mutating func append(_ block: [UInt8], _ format: BlockFormat) {
            scales.append(F16.float(UInt16(block[0]) | UInt16(block[1]) << 8))
            if format == .q8_0 {
                quants += block[2...].map { Int32(Int8(bitPattern: $0)) }
            } else {
                quants += block[2...].map { Int32($0 & 15) - 8 }
                quants += block[2...].map { Int32($0 >> 4) - 8 }
            }
        }

        /// Blocks in sequence: acc = fma(weight scale · input scale, Float(Σ q · q), acc).
        func dot(_ inputs: QuantizedRows, _ token: Int) -> Float {
            var sum: Float = 0
            for block in scales.indices {
                let start = token * quants.count + block * 32
                var integer: Int32 = 0
                for index in 0..<32 {
                    integer += quants[block * 32 + index] * Int32(inputs.quants[start + index])
                }
                let scale = scales[block] * inputs.scales[token * scales.count + block]
                sum = sum.addingProduct(scale, Float(integer))
            }
            return sum
        }
    }
}
