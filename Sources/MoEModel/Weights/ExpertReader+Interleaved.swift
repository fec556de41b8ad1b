import ModelFiles
import Tensors

/// gpt-oss's layout in Hugging Face files: gate and up in alternate columns, with biases; the
/// matrices either transposed (`[inputs × outputs]`) in plain numbers, or in MXFP4 blocks.
extension ExpertReader {
    /// The layer's experts, copied once into rows that products read; nil in other layouts.
    func interleaved(_ layer: Int) throws(ModelFileError) -> [ExpertWeights]? {
        let name = name(.stackedGatesAndUps, layer)
        let biasName = name + "_bias"
        guard archive[biasName] != nil else { return nil }
        let downName = self.name(.stackedDowns, layer)
        let bias = try rows(biasName, columns: 2 * experts.inner)
        let biases = biases(
            gates: bias.map { Self.everyOther($0, from: 0) },
            ups: bias.map { Self.everyOther($0, from: 1) },
            downs: try rows(downName + "_bias", columns: hidden))
        if archive.opaque(name + "_blocks") != nil {
            let both = try blocks(name, rows: 2 * experts.inner, columns: hidden)
            let downs = try blocks(downName, rows: hidden, columns: experts.inner)
            return zip(
                both.map { $0.matrix(firstRow: 0, step: 2) },
                both.map { $0.matrix(firstRow: 1, step: 2) },
                downs.map { $0.matrix(firstRow: 0, step: 1) }, biases: biases)
        }
        let both = try archive.matrices(
            name, count: experts.count, rows: hidden, columns: 2 * experts.inner)
        let downs = try archive.matrices(
            downName, count: experts.count, rows: experts.inner, columns: hidden)
        return zip(
            both.map { $0.transposedColumns(from: 0, by: 2) },
            both.map { $0.transposedColumns(from: 1, by: 2) },
            downs.map { $0.transposed() }, biases: biases)
    }

    private static func everyOther(_ values: [Float], from first: Int) -> [Float] {
        stride(from: first, to: values.count, by: 2).map { values[$0] }
    }

    /// Each expert's blocks and scales.
    private func blocks(
        _ name: String, rows: Int, columns: Int
    ) throws(ModelFileError) -> [MXFP4Blocks] {
        guard columns % 32 == 0 else {
            throw ModelFileError(
                .malformed, file: archive.file,
                "tensor \(name)_blocks: rows of \(columns) elements are not whole blocks of 32")
        }
        let shape = [experts.count, rows, columns / 32]
        let blocks = try bytes(name + "_blocks", shape + [16])
        let scales = try bytes(name + "_scales", shape)
        let perExpert = rows * (columns / 32)
        return (0..<experts.count).map { expert in
            MXFP4Blocks(
                rows: rows, columns: columns,
                blocks: blocks.slice(expert * perExpert * 16..<(expert + 1) * perExpert * 16),
                scales: scales.slice(expert * perExpert..<(expert + 1) * perExpert))
        }
    }

    private func bytes(
        _ name: String, _ dimensions: [Int]
    ) throws(ModelFileError) -> WeightBytes {
        guard let tensor = archive.opaque(name) else {
            throw ModelFileError(.missing, file: archive.file, "tensor \(name) is not in the file")
        }
        guard tensor.type == "U8", tensor.dimensions == dimensions else {
            throw ModelFileError(
                .malformed, file: archive.file,
                "tensor \(name) is \(tensor.type) \(tensor.dimensions), the metadata asks for "
                    + "U8 \(dimensions)")
        }
        return tensor.bytes
    }
}

/// One matrix as Hugging Face stores MXFP4: nibbles of neighbouring elements in a byte, scales
/// apart. GGML puts elements `i` and `i + 16` of a block in a byte, behind the block's scale.
private struct MXFP4Blocks {
    let rows: Int
    let columns: Int
    /// `[rows × columns / 32 × 16]`
    let blocks: WeightBytes
    /// `[rows × columns / 32]`
    let scales: WeightBytes

    /// A copy of every `step`-th row from `firstRow` on, in GGML's blocks.
    func matrix(firstRow: Int, step: Int) -> QuantizedMatrix {
        let perRow = columns / 32
        let chosen = Array(stride(from: firstRow, to: rows, by: step))
        var copy = [UInt8]()
        copy.reserveCapacity(chosen.count * perRow * 17)
        blocks.withUnsafeBytes { blocks in
            scales.withUnsafeBytes { scales in
                for row in chosen {
                    for block in row * perRow..<(row + 1) * perRow {
                        copy.append(scales[block])
                        for index in 0..<16 {
                            copy.append(
                                Self.nibble(blocks, block, index)
                                    | Self.nibble(blocks, block, index + 16) << 4)
                        }
                    }
                }
            }
        }
        return QuantizedMatrix(
            rows: chosen.count, columns: columns, format: .mxfp4, bytes: WeightBytes(copy))
    }

    /// Element `index` of a block, as Hugging Face stores it.
    private static func nibble(
        _ blocks: UnsafeRawBufferPointer, _ block: Int, _ index: Int
    ) -> UInt8 {
        let byte = blocks[block * 16 + index / 2]
        return index % 2 == 0 ? byte & 15 : byte >> 4
    }
}
