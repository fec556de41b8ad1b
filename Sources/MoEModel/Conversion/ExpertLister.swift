import ModelFiles
import Tensors

/// Lists the routed experts of a layer as GGUF stacks them, one tensor per matrix, from whichever
/// layout the folder has.
struct ExpertLister {
    let archive: TensorArchive
    let names: WeightNames
    let experts: ExpertsConfiguration
    let hidden: Int

    /// - Returns: the tensors, and the names of those that they are made of.
    func tensors(ofLayer layer: Int) throws(ModelFileError) -> ([ConvertedTensor], [String]) {
        let both = name(.stackedGatesAndUps, layer)
        if archive[both + "_bias"] != nil { return try interleaved(layer, both) }
        if archive[both] != nil { return try fused(layer, both) }
        return try single(layer)
    }

    /// One tensor per expert and matrix.
    private func single(_ layer: Int) throws(ModelFileError) -> ([ConvertedTensor], [String]) {
        var tensors: [ConvertedTensor] = []
        var read: [String] = []
        let roles: [(Weight, Weight, Int, Int)] = [
            (.expertGate, .stackedGates, experts.inner, hidden),
            (.expertUp, .stackedUps, experts.inner, hidden),
            (.expertDown, .stackedDowns, hidden, experts.inner),
        ]
        for (weight, target, rows, columns) in roles {
            var parts: [RowSource] = []
            for expert in 0..<experts.count {
                let name = names.resolve(weight, layer: layer, expert: expert, in: archive)
                parts.append(
                    RowSource(try archive.matrix(name, rows: rows, columns: columns)))
                read.append(name)
            }
            tensors.append(stack(target, layer, rows: rows, columns: columns, parts))
        }
        return (tensors, read)
    }

    /// Each expert's gate and then its up in one stack.
    private func fused(
        _ layer: Int, _ both: String
    ) throws(ModelFileError) -> ([ConvertedTensor], [String]) {
        let (count, inner) = (experts.count, experts.inner)
        let downName = name(.stackedDowns, layer)
        let pairs = try archive.matrices(both, count: count, rows: 2 * inner, columns: hidden)
        let downs = try archive.matrices(downName, count: count, rows: hidden, columns: inner)
        return (
            stacks(
                layer, gates: pairs.map { RowSource($0.rows(0..<inner)) },
                ups: pairs.map { RowSource($0.rows(inner..<2 * inner)) },
                downs: downs.map { RowSource($0) }),
            [both, downName]
        )
    }

    /// gpt-oss: gate and up in alternate columns, transposed or in MXFP4 blocks, with biases.
    private func interleaved(
        _ layer: Int, _ both: String
    ) throws(ModelFileError) -> ([ConvertedTensor], [String]) {
        let (count, inner) = (experts.count, experts.inner)
        let downName = name(.stackedDowns, layer)
        let biases = try biases(layer, both + "_bias", downName + "_bias")
        let read = [both, downName, both + "_bias", downName + "_bias"]
        if archive.opaque(both + "_blocks") != nil {
            let reader = ExpertReader(
                archive: archive, names: names, experts: experts, hidden: hidden)
            let pairs = try reader.blocks(both, rows: 2 * inner, columns: hidden)
            let downs = try reader.blocks(downName, rows: hidden, columns: inner)
            let matrices = stacks(
                layer, gates: pairs.map { RowSource($0, from: 0, by: 2) },
                ups: pairs.map { RowSource($0, from: 1, by: 2) },
                downs: downs.map { RowSource($0, from: 0, by: 1) })
            return (matrices + biases, read)
        }
        let pairs = try archive.matrices(both, count: count, rows: hidden, columns: 2 * inner)
        let downs = try archive.matrices(downName, count: count, rows: inner, columns: hidden)
        let matrices = stacks(
            layer, gates: pairs.map { RowSource(transposing: $0, from: 0, by: 2) },
            ups: pairs.map { RowSource(transposing: $0, from: 1, by: 2) },
            downs: downs.map { RowSource(transposing: $0) })
        return (matrices + biases, read)
    }

    private func biases(
        _ layer: Int, _ both: String, _ down: String
    ) throws(ModelFileError) -> [ConvertedTensor] {
        let (count, inner) = (experts.count, experts.inner)
        let pairs = try archive.matrix(both, rows: count, columns: 2 * inner)
        let downs = try archive.matrix(down, rows: count, columns: hidden)
        let rows = (0..<count).map { pairs.dequantizedRow($0) }
        func half(_ weight: Weight, from first: Int) -> ConvertedTensor {
            let values = rows.flatMap { row in
                stride(from: first, to: row.count, by: 2).map { row[$0] }
            }
            let matrix = QuantizedMatrix(Matrix(rows: count, columns: inner, values: values))
            return ConvertedTensor(
                name: biasName(weight, layer), dimensions: [count, inner],
                parts: [RowSource(rows: count, columns: inner, format: .f32) { matrix }])
        }
        return [
            half(.stackedGates, from: 0), half(.stackedUps, from: 1),
            ConvertedTensor(
                name: biasName(.stackedDowns, layer), dimensions: [count, hidden],
                parts: [RowSource(downs)]),
        ]
    }

    private func stacks(
        _ layer: Int, gates: [RowSource], ups: [RowSource], downs: [RowSource]
    ) -> [ConvertedTensor] {
        let inner = experts.inner
        return [
            stack(.stackedGates, layer, rows: inner, columns: hidden, gates),
            stack(.stackedUps, layer, rows: inner, columns: hidden, ups),
            stack(.stackedDowns, layer, rows: hidden, columns: inner, downs),
        ]
    }

    private func stack(
        _ weight: Weight, _ layer: Int, rows: Int, columns: Int, _ parts: [RowSource]
    ) -> ConvertedTensor {
        ConvertedTensor(
            name: targetName(weight, layer), dimensions: [experts.count, rows, columns],
            parts: parts)
    }

    private func biasName(_ weight: Weight, _ layer: Int) -> String {
        targetName(weight, layer).dropLast("weight".count) + "bias"
    }

    private func name(_ weight: Weight, _ layer: Int) -> String {
        names.resolve(weight, layer: layer, in: archive)
    }

    private func targetName(_ weight: Weight, _ layer: Int) -> String {
        WeightNames.gguf.resolve(weight, layer: layer, in: archive)
    }
}

extension RowSource {
    /// Every `step`-th row of a Hugging Face MXFP4 matrix, in GGML's blocks.
    fileprivate init(_ blocks: MXFP4Blocks, from first: Int, by step: Int) {
        let rows = (blocks.rows - first + step - 1) / step
        self.init(
            rows: rows, columns: blocks.columns, format: .mxfp4, mapped: blocks.blocks
        ) { blocks.matrix(firstRow: first, step: step) }
    }
}
