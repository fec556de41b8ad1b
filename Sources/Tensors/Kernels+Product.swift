import CKernels

extension Kernels {
    /// See `Tensors.product`.
    func product(_ weights: QuantizedMatrix, _ inputs: Activations) -> Matrix {
        precondition(
            weights.columns == inputs.columns, "Weights and inputs must have the same columns.")
        guard weights.columns > 0 else { return Matrix(rows: inputs.rows, columns: weights.rows) }
        return Matrix.uninitialized(rows: inputs.rows, columns: weights.rows) { out in
            inputs.withProduct(out, stride: weights.rows) { product in
                weights.bytes.withUnsafeBytes { bytes in
                    guard let start = bytes.baseAddress else { return }
                    multiply(weights, at: start, &product)
                }
            }
        }
    }

    private func multiply(
        _ weights: QuantizedMatrix, at start: UnsafeRawPointer, _ product: inout martlet_product
    ) {
        switch weights.format {
        case .f32, .f16, .bf16, .q8_0, .q4_0, .q4_K, .q5_K, .q6_K, .mxfp4:
            product.weights = start
            product.rows = weights.rows
            multiply(weights.format, &product)
        default:
            multiplyDequantized(weights, at: start, &product)
        }
    }

    /// A few rows at a time as fp32: enough for the F32 kernel's tiles, few enough for the cache.
    private func multiplyDequantized(
        _ weights: QuantizedMatrix, at start: UnsafeRawPointer, _ product: inout martlet_product
    ) {
        let rowsPerPass = 8
        let output = product.out
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rowsPerPass * weights.columns) {
            for first in stride(from: 0, to: weights.rows, by: rowsPerPass) {
                let count = min(rowsPerPass, weights.rows - first)
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
    /// Calls `body` with a product of these inputs whose weights and rows are still to be set.
    fileprivate func withProduct(
        _ out: UnsafeMutablePointer<Float>, stride: Int, _ body: (inout martlet_product) -> Void
    ) {
        matrix.values.withUnsafeBufferPointer { values in
            quantized.quants.withUnsafeBufferPointer { quants in
                quantized.scales.withUnsafeBufferPointer { scales in
                    quantized.sums.withUnsafeBufferPointer { sums in
                        var product = martlet_product(
                            weights: UnsafeRawPointer(out), rows: 0, columns: columns,
                            inputs: rows, values: values.baseAddress, quants: quants.baseAddress,
                            scales: scales.baseAddress, sums: sums.baseAddress, out: out,
                            output_stride: stride)
                        body(&product)
                    }
                }
            }
        }
    }
}
