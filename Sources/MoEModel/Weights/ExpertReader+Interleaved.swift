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
    func blocks(
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
