extension BlockFormat {
    /// Writes the numbers stored in `bytes`, whole blocks of this format, to `output`, which has
    /// exactly as many elements. The values are those of GGML's `dequantize_row_*`.
    package func dequantize(
        _ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(
            bytes.count == byteCount(elements: output.count),
            "The bytes and the numbers must be the same number of whole blocks.")
        guard let source = bytes.baseAddress, let target = output.baseAddress else { return }
        let blocks = Blocks(
            source: source, target: target, count: output.count / elementsPerBlock,
            bytes: bytesPerBlock, elements: elementsPerBlock)
        switch self {
        case .f32: blocks.forEach(F32.dequantizeBlock)
        case .f16: blocks.forEach(F16.dequantizeBlock)
        case .bf16: blocks.forEach(BF16.dequantizeBlock)
        case .q8_0: blocks.forEach(Q8_0.dequantizeBlock)
        case .q4_0: blocks.forEach(Q4_0.dequantizeBlock)
        case .q4_1: blocks.forEach(Q4_1.dequantizeBlock)
        case .q5_0: blocks.forEach(Q5_0.dequantizeBlock)
        case .q5_1: blocks.forEach(Q5_1.dequantizeBlock)
        case .q2_K: blocks.forEach(Q2_K.dequantizeBlock)
        case .q3_K: blocks.forEach(Q3_K.dequantizeBlock)
        case .q4_K: blocks.forEach(Q4_K.dequantizeBlock)
        case .q5_K: blocks.forEach(Q5_K.dequantizeBlock)
        case .q6_K: blocks.forEach(Q6_K.dequantizeBlock)
        case .iq4_NL: blocks.forEach(IQ4_NL.dequantizeBlock)
        case .iq4_XS: blocks.forEach(IQ4_XS.dequantizeBlock)
        case .mxfp4: blocks.forEach(MXFP4.dequantizeBlock)
        }
    }

    /// `count` blocks of `bytes` bytes from `source`, and room for their numbers from `target`.
    private struct Blocks {
        let source: UnsafeRawPointer
        let target: UnsafeMutablePointer<Float>
        let count: Int
        let bytes: Int
        let elements: Int

        @inline(__always)
        func forEach(_ dequantize: (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void) {
            for block in 0..<count {
                dequantize(source + block * bytes, target + block * elements)
            }
        }
    }
}
