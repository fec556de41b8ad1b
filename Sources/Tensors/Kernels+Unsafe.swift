import CKernels

/// The C kernels of one instruction set, behind functions that check shapes.
struct Kernels: Sendable {
    /// Those of the fastest instruction set that this machine has.
    static let detected: Kernels = {
        guard let kernels = Kernels(.detected) else {
            preconditionFailure("Every machine has the portable kernels.")
        }
        return kernels
    }()

    /// Immutable and never freed, so it may be shared.
    nonisolated(unsafe) let table: UnsafePointer<martlet_kernels>

    /// Nil where this machine lacks `instructionSet`.
    init?(_ instructionSet: InstructionSet) {
        let name =
            switch instructionSet {
            case .portable: MARTLET_PORTABLE
            case .avx2: MARTLET_AVX2
            case .avx2VNNI: MARTLET_AVX2_VNNI
            case .avx512VNNI: MARTLET_AVX512_VNNI
            case .neonDot: MARTLET_NEON_DOT
            }
        guard let table = martlet_kernels_for(name) else { return nil }
        self.table = table
    }

    /// See `Tensors.dot`.
    func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
        table.pointee.dot(a, b, count)
    }

    /// See `Tensors.addScaledFused`.
    func addScaledFused(
        _ out: UnsafeMutablePointer<Float>, _ scale: Float, _ x: UnsafePointer<Float>, count: Int
    ) {
        table.pointee.add_scaled(out, scale, x, count)
    }

    /// See `Tensors.softmax`.
    func softmax(_ row: UnsafeMutableBufferPointer<Float>) {
        guard let start = row.baseAddress else { return }
        table.pointee.softmax(start, row.count)
    }

    /// See `Tensors.swiGLU`.
    func swiGLU(gate: Matrix, up: Matrix) -> Matrix {
        precondition(
            gate.rows == up.rows && gate.columns == up.columns, "Gate and up must have one shape.")
        return gate.values.withUnsafeBufferPointer { gates in
            up.values.withUnsafeBufferPointer { ups in
                Matrix.uninitialized(rows: gate.rows, columns: gate.columns) { out in
                    guard let gates = gates.baseAddress, let ups = ups.baseAddress else { return }
                    table.pointee.swiglu(gates, ups, out, gate.rows * gate.columns)
                }
            }
        }
    }

    /// See `Tensors.rootMeanSquareNormalized`.
    func rootMeanSquareNormalized(_ x: Matrix, weight: [Float], epsilon: Float) -> Matrix {
        precondition(weight.count == x.columns, "The norm needs one weight per column.")
        return x.values.withUnsafeBufferPointer { values in
            weight.withUnsafeBufferPointer { weights in
                Matrix.uninitialized(rows: x.rows, columns: x.columns) { out in
                    guard let values = values.baseAddress, let weights = weights.baseAddress else {
                        return
                    }
                    table.pointee.rms_norm(values, weights, epsilon, x.rows, x.columns, out)
                }
            }
        }
    }

    /// The rows of `matrix`, whose columns are whole blocks of 32, in 8-bit form.
    func quantize(_ matrix: Matrix) -> QuantizedRows {
        precondition(matrix.columns % 32 == 0, "Rows are quantised in whole blocks of 32.")
        let blocks = matrix.values.count / 32
        var scales: [Float] = []
        var sums: [Int32] = []
        let quants = [Int8](unsafeUninitializedCapacity: blocks * 32) { quants, quantCount in
            scales = [Float](unsafeUninitializedCapacity: blocks) { scales, scaleCount in
                sums = [Int32](unsafeUninitializedCapacity: 2 * blocks) { sums, sumCount in
                    matrix.values.withUnsafeBufferPointer { values in
                        guard let values = values.baseAddress, let quants = quants.baseAddress,
                            let scales = scales.baseAddress, let sums = sums.baseAddress
                        else { return }
                        table.pointee.quantize(values, blocks, quants, scales, sums)
                    }
                    sumCount = 2 * blocks
                }
                scaleCount = blocks
            }
            quantCount = blocks * 32
        }
        return QuantizedRows(quants: quants, scales: scales, sums: sums)
    }

    /// See `BlockFormat.dequantize`, with a kernel where there is one.
    func dequantize(
        _ format: BlockFormat, _ bytes: UnsafeRawBufferPointer,
        into output: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(
            bytes.count == format.byteCount(elements: output.count),
            "The bytes and the numbers must be the same number of whole blocks.")
        guard let source = bytes.baseAddress, let target = output.baseAddress else { return }
        let count = output.count / format.elementsPerBlock
        switch format {
        case .q4_K: table.pointee.dequantize_q4_k(source, count, target)
        case .q5_K: table.pointee.dequantize_q5_k(source, count, target)
        case .q6_K: table.pointee.dequantize_q6_k(source, count, target)
        case .mxfp4: table.pointee.dequantize_mxfp4(source, count, target)
        default: format.dequantize(bytes, into: output)
        }
    }

    /// Runs the kernel of `format`, which must be one of those with a kernel of its own.
    func multiply(_ format: BlockFormat, _ product: inout martlet_product) {
        switch format {
        case .f32: table.pointee.product_f32(&product)
        case .f16: table.pointee.product_f16(&product)
        case .bf16: table.pointee.product_bf16(&product)
        case .q8_0: table.pointee.product_q8_0(&product)
        case .q4_0: table.pointee.product_q4_0(&product)
        case .q4_K: table.pointee.product_q4_k(&product)
        case .q5_K: table.pointee.product_q5_k(&product)
        case .q6_K: table.pointee.product_q6_k(&product)
        case .mxfp4: table.pointee.product_mxfp4(&product)
        default: preconditionFailure("\(format.name) has no kernel of its own.")
        }
    }
}

extension Matrix {
    /// A matrix whose elements `body` writes, all of them, row-major. `body` is not called where
    /// there are none.
    static func uninitialized(
        rows: Int, columns: Int, _ body: (UnsafeMutablePointer<Float>) -> Void
    ) -> Matrix {
        let count = rows * columns
        let values = [Float](unsafeUninitializedCapacity: count) { output, initialized in
            if count > 0, let start = output.baseAddress { body(start) }
            initialized = count
        }
        return Matrix(rows: rows, columns: columns, values: values)
    }
}
