import ModelFiles
import Tensors

/// Finds the routed experts of a layer in whichever of the published layouts the file has.
struct ExpertReader {
    let archive: TensorArchive
    let names: WeightNames
    let experts: ExpertsConfiguration
    let hidden: Int

    /// The layer's experts in order.
    ///
    /// Stacked in one tensor per matrix (GGUF), stacked with gate and up in one (transformers 5),
    /// or one tensor per expert and matrix (Hugging Face, and Mixtral's first GGUF files). gpt-oss
    /// has a layout of its own.
    func experts(ofLayer layer: Int) throws(ModelFileError) -> [ExpertWeights] {
        if let packed = try interleaved(layer) { return packed }
        let (count, inner) = (experts.count, experts.inner)
        if has(.stackedGates, layer) {
            return zip(
                try stack(.stackedGates, layer, rows: inner, columns: hidden),
                try stack(.stackedUps, layer, rows: inner, columns: hidden),
                try stack(.stackedDowns, layer, rows: hidden, columns: inner),
                biases: try stackedBiases(layer))
        }
        if has(.stackedGatesAndUps, layer) {
            let both = try stack(.stackedGatesAndUps, layer, rows: 2 * inner, columns: hidden)
            return zip(
                both.map { $0.rows(0..<inner) }, both.map { $0.rows(inner..<2 * inner) },
                try stack(.stackedDowns, layer, rows: hidden, columns: inner), biases: nil)
        }
        var list: [ExpertWeights] = []
        for expert in 0..<count { list.append(try single(layer, expert)) }
        return list
    }

    private func single(_ layer: Int, _ expert: Int) throws(ModelFileError) -> ExpertWeights {
        func matrix(
            _ weight: Weight, rows: Int, columns: Int
        ) throws(ModelFileError) -> QuantizedMatrix {
            try archive.matrix(
                names.resolve(weight, layer: layer, expert: expert, in: archive),
                rows: rows, columns: columns)
        }
        return ExpertWeights(
            gate: try matrix(.expertGate, rows: experts.inner, columns: hidden),
            up: try matrix(.expertUp, rows: experts.inner, columns: hidden),
            down: try matrix(.expertDown, rows: hidden, columns: experts.inner),
            activation: experts.activation)
    }

    /// The experts of three lists of matrices.
    func zip(
        _ gates: [QuantizedMatrix], _ ups: [QuantizedMatrix], _ downs: [QuantizedMatrix],
        biases: [ExpertWeights.Biases]?
    ) -> [ExpertWeights] {
        gates.indices.map {
            ExpertWeights(
                gate: gates[$0], up: ups[$0], down: downs[$0], biases: biases?[$0],
                activation: experts.activation)
        }
    }

    private func stackedBiases(_ layer: Int) throws(ModelFileError) -> [ExpertWeights.Biases]? {
        let gates = biasName(.stackedGates, layer)
        guard archive[gates] != nil else { return nil }
        return try biases(
            gates: rows(gates, columns: experts.inner),
            ups: rows(biasName(.stackedUps, layer), columns: experts.inner),
            downs: rows(biasName(.stackedDowns, layer), columns: hidden))
    }

    func biases(
        gates: [[Float]], ups: [[Float]], downs: [[Float]]
    ) -> [ExpertWeights.Biases] {
        gates.indices.map {
            ExpertWeights.Biases(gate: gates[$0], up: ups[$0], down: downs[$0])
        }
    }

    /// One fp32 row per expert.
    func rows(_ name: String, columns: Int) throws(ModelFileError) -> [[Float]] {
        let matrix = try archive.matrix(name, rows: experts.count, columns: columns)
        return (0..<experts.count).map { matrix.dequantizedRow($0) }
    }

    func name(_ weight: Weight, _ layer: Int) -> String {
        names.resolve(weight, layer: layer, in: archive)
    }

    private func biasName(_ weight: Weight, _ layer: Int) -> String {
        name(weight, layer).dropLast("weight".count) + "bias"
    }

    private func has(_ weight: Weight, _ layer: Int) -> Bool {
        archive[name(weight, layer)] != nil
    }

    private func stack(
        _ weight: Weight, _ layer: Int, rows: Int, columns: Int
    ) throws(ModelFileError) -> [QuantizedMatrix] {
        try archive.matrices(
            name(weight, layer), count: experts.count, rows: rows, columns: columns)
    }
}
