import Tensors

/// One matrix as Hugging Face stores MXFP4: nibbles of neighbouring elements in a byte, scales
/// apart. GGML puts elements `i` and `i + 16` of a block in a byte, behind the block's scale.
struct MXFP4Blocks {
    let rows: Int
    /// A multiple of 32.
    let columns: Int
    /// `[rows × columns / 32 × 16]`
    let blocks: WeightBytes
    /// `[rows × columns / 32]`
    let scales: WeightBytes

    /// A copy of every `step`-th row from `firstRow` on, in GGML's blocks.
    ///
    /// - Complexity: O(bytes); for use once, when a model opens.
    func matrix(firstRow: Int, step: Int) -> QuantizedMatrix {
        let perRow = columns / 32
        let chosen = Array(stride(from: firstRow, to: rows, by: step))
        let count = chosen.count * perRow * 17
        let copy = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            blocks.withUnsafeBytes { blocks in
                scales.withUnsafeBytes { scales in
                    guard let to = target.baseAddress else { return }
                    for (position, row) in chosen.enumerated() {
                        for block in 0..<perRow {
                            let from = row * perRow + block
                            let out = to + (position * perRow + block) * 17
                            out[0] = scales[from]
                            Self.repack(blocks, at: from * 16, to: out + 1)
                        }
                    }
                }
            }
            initialized = count
        }
        return QuantizedMatrix(
            rows: chosen.count, columns: columns, format: .mxfp4, bytes: WeightBytes(copy))
    }

    /// Sixteen bytes of neighbouring nibbles into sixteen bytes of nibbles sixteen apart.
    private static func repack(
        _ blocks: UnsafeRawBufferPointer, at start: Int, to out: UnsafeMutablePointer<UInt8>
    ) {
        for index in 0..<8 {
            let (low, high) = (blocks[start + index], blocks[start + index + 8])
            out[2 * index] = low & 15 | high << 4
            out[2 * index + 1] = low >> 4 | high & 0xF0
        }
    }
}
