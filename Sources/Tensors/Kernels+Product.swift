import CKernels

extension Kernels {
    /// See `Tensors.product`; on the calling thread alone.
    func product(_ weights: QuantizedMatrix, _ inputs: Activations) -> Matrix {
        Matrix.uninitialized(rows: inputs.rows, columns: weights.rows) {
            multiply(ProductTask(weights, inputs, 0..<inputs.rows, out: $0), inputs)
        }
    }

    /// Computes those rows of `task` that are in `rows`, or all.
    func multiply(_ task: ProductTask, _ inputs: Activations, rows: Range<Int>? = nil) {
        let weights = task.weights
        precondition(
            weights.columns == inputs.columns, "Weights and inputs must have the same columns.")
        let rows = rows ?? 0..<weights.rows
        let out = task.out + rows.lowerBound
        guard weights.columns > 0 else {
            for token in 0..<task.inputs.count {
                (out + token * weights.rows).update(repeating: 0, count: rows.count)
            }
            return
        }
        inputs.withProduct(of: task.inputs, out, stride: weights.rows) { product in
            let packed = multiplyPacked(weights, rows, &product)
            guard packed < rows.count else { return }
            product.out += packed
            weights.bytes.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                multiply(
                    weights, rows.count - packed,
                    at: start + (rows.lowerBound + packed) * weights.bytesPerRow, &product)
            }
        }
    }

    /// Multiplies those of the first rows of `rows` that are whole panels; returns how many.
    private func multiplyPacked(
        _ weights: QuantizedMatrix, _ rows: Range<Int>, _ product: inout martlet_product
    ) -> Int {
        let size = QuantizedMatrix.panelRows
        guard let panels = weights.panels, rows.lowerBound % size == 0 else { return 0 }
        let end = min(rows.upperBound, weights.packedRows) / size * size
        guard end > rows.lowerBound else { return 0 }
        panels.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            product.weights = start + rows.lowerBound * weights.bytesPerRow
            product.rows = end - rows.lowerBound
            product.packed = 1
            multiply(weights.format, &product)
            product.packed = 0
        }
        return end - rows.lowerBound
    }

    private func multiply(
        _ weights: QuantizedMatrix, _ rows: Int, at start: UnsafeRawPointer,
        _ product: inout martlet_product
    ) {
        switch weights.format {
        case .f32, .f16, .bf16, .q8_0, .q4_0, .q4_K, .q5_K, .q6_K, .mxfp4:
            product.weights = start
            product.rows = rows
            multiply(weights.format, &product)
        default:
            multiplyDequantized(weights, rows, at: start, &product)
        }
    }

    /// A few rows at a time as fp32: enough for the F32 kernel's tiles, few enough for the cache.
    private func multiplyDequantized(
        _ weights: QuantizedMatrix, _ rows: Int, at start: UnsafeRawPointer,
        _ product: inout martlet_product
    ) {
        let rowsPerPass = 8
        let output = product.out
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rowsPerPass * weights.columns) {
            for first in stride(from: 0, to: rows, by: rowsPerPass) {
                let count = min(rowsPerPass, rows - first)
                let bytes = UnsafeRawBufferPointer(
                    start: start + first * weights.bytesPerRow, count: count * weights.bytesPerRow)
                let numbers = $0.extracting(0..<count * weights.columns)
                dequantize(weights.format, bytes, into: numbers)
                guard let address = numbers.baseAddress else { return }
                product.weights = UnsafeRawPointer(address)
                product.rows = count
                product.out = output + first
                multiply(.f32, &product)
            }
        }
    }
}

extension Activations {
    /// Calls `body` with a product of some of these rows, whose weights and their rows are still
    /// to be set.
    fileprivate func withProduct(
        of range: Range<Int>, _ out: UnsafeMutablePointer<Float>, stride: Int,
        _ body: (inout martlet_product) -> Void
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= rows, "The rows are outside the inputs.")
        let first = range.lowerBound
        let divisor = max(1, rows)
        let blocks = quantized.scales.count / divisor
        let sumCount = quantized.sums.count / divisor
        matrix.values.withUnsafeBufferPointer { values in
            quantized.quants.withUnsafeBufferPointer { quants in
                quantized.scales.withUnsafeBufferPointer { scales in
                    quantized.sums.withUnsafeBufferPointer { sums in
                        var product = martlet_product(
                            weights: UnsafeRawPointer(out), rows: 0, columns: columns,
                            inputs: range.count,
                            values: values.baseAddress.map { $0 + first * columns },
                            quants: quants.baseAddress.map { $0 + first * 32 * blocks },
                            scales: scales.baseAddress.map { $0 + first * blocks },
                            sums: sums.baseAddress.map { $0 + first * sumCount }, out: out,
                            output_stride: stride, packed: 0)
                        body(&product)
                    }
                }
            }
        }
    }
}
