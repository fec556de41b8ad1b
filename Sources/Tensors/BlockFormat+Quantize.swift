extension BlockFormat {
    /// Whether martlet can write this format; it reads all of them.
    package var isWritable: Bool { quantizeBlock != nil }

    /// The largest magnitude that formats with scales take: that of half precision, in which the
    /// scales are stored.
    package static let largestMagnitude: Float = 65504

    /// Stores the numbers of `input`, whole blocks of this format, in `output`, which has exactly
    /// the size of their bytes. The format must be writable and, unless its blocks are single
    /// numbers, the magnitudes at most `largestMagnitude`.
    ///
    /// Scales are searched for the least weighted error (`QuantizationGroup`).
    /// - Complexity: O(count), some 0.2 µs per number for the K formats.
    package func quantize(
        _ input: UnsafeBufferPointer<Float>, into output: UnsafeMutableRawBufferPointer
    ) {
        precondition(
            output.count == byteCount(elements: input.count),
            "The numbers and the bytes must be the same number of whole blocks.")
        precondition(
            elementsPerBlock == 1 || input.allSatisfy { $0.magnitude <= Self.largestMagnitude },
            "The numbers are larger than the scales of quantised blocks can be.")
        guard let quantizeBlock else { preconditionFailure("\(name) cannot be written.") }
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        for block in 0..<input.count / elementsPerBlock {
            quantizeBlock(source + block * elementsPerBlock, target + block * bytesPerBlock)
        }
    }

    private var quantizeBlock: ((UnsafePointer<Float>, UnsafeMutableRawPointer) -> Void)? {
        switch self {
        case .f32: F32.quantizeBlock
        case .f16: F16.quantizeBlock
        case .bf16: BF16.quantizeBlock
        case .q8_0: Q8_0.quantizeBlock
        case .q4_0: Q4_0.quantizeBlock
        case .q4_1: Q4_1.quantizeBlock
        case .q5_0: Q5_0.quantizeBlock
        case .q5_1: Q5_1.quantizeBlock
        case .q2_K: Q2_K.quantizeBlock
        case .q3_K: Q3_K.quantizeBlock
        case .q4_K: Q4_K.quantizeBlock
        case .q5_K: Q5_K.quantizeBlock
        case .q6_K: Q6_K.quantizeBlock
        case .iq4_NL, .iq4_XS, .mxfp4: nil
        }
    }
}
