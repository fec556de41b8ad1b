import Foundation
import ModelFiles
import Tensors

/// Lists the tensors of a Hugging Face folder as a GGUF file holds them, every shape checked.
struct TensorLister {
    let archive: TensorArchive
    /// Names in the folder.
    let names: WeightNames
    /// The description that will read the new file.
    let target: Architecture
    let configuration: ModelConfiguration
    private var tensors: [ConvertedTensor] = []
    private var used: Set<String> = []

    init(
        archive: TensorArchive, names: WeightNames, target: Architecture,
        configuration: ModelConfiguration
    ) {
        self.archive = archive
        self.names = names
        self.target = target
        self.configuration = configuration
    }

    /// - Parameter tiesEmbeddings: whether the head is the embedding; nil where the folder is silent.
    mutating func all(tiesEmbeddings: Bool?) throws(ModelFileError) -> [ConvertedTensor] {
        let (vocabulary, hidden) = (configuration.vocabulary, configuration.hidden)
        try add(.tokenEmbedding, rows: vocabulary, columns: hidden)
        for index in configuration.layerKinds.indices { try addLayer(index) }
        try add(.outputNorm, count: hidden)
        let head = name(.head, 0)
        if tiesEmbeddings ?? (archive[head] == nil) {
            used.insert(head)
        } else {
            try add(.head, rows: vocabulary, columns: hidden)
        }
        addRotaryDivisors()
        return tensors
    }

    /// A sentence about tensors that the new file leaves out, if there are any.
    var unused: [String] {
        // Some folders keep the angles, which follow from the settings.
        let left = archive.entries.map(\.name).filter {
            !used.contains($0) && !$0.hasSuffix("rotary_emb.inv_freq")
        }
        guard let first = left.first else { return [] }
        return ["\(left.count) tensors of the source have no place in the new file: \(first), …"]
    }

    private mutating func addLayer(_ index: Int) throws(ModelFileError) {
        let hidden = configuration.hidden
        try add(.attentionNorm, index, count: hidden)
        switch configuration.attention {
        case .groupedQuery(let attention): try addGroupedQuery(index, attention)
        case .latent(let attention): try addLatent(index, attention)
        }
        try add(.feedForwardNorm, index, count: hidden)
        guard configuration.layerKinds[index].hasExperts, let experts = configuration.experts
        else {
            return try addDense(
                index, (.gate, .up, .down), inner: configuration.denseInner)
        }
        try add(.router, index, rows: experts.count, columns: hidden)
        if archive[name(.selectionBias, index)] != nil {
            try add(.selectionBias, index, count: experts.count)
        }
        let lister = ExpertLister(
            archive: archive, names: names, experts: experts, hidden: hidden)
        let (listed, read) = try lister.tensors(ofLayer: index)
        tensors += listed
        used.formUnion(read)
        try addShared(index)
    }

    private mutating func addShared(_ index: Int) throws(ModelFileError) {
        guard let shared = configuration.sharedExpert else { return }
        try addDense(index, (.sharedGate, .sharedUp, .sharedDown), inner: shared.inner)
        guard shared.isGated else { return }
        // A vector in GGUF, a matrix of one row in the folder.
        let hidden = configuration.hidden
        let source = name(.sharedExpertGate, index)
        _ = try archive.matrix(source, rows: 1, columns: hidden)
        guard let entry = archive[source] else { return }
        used.insert(source)
        tensors.append(
            ConvertedTensor(
                entry, name: targetName(.sharedExpertGate, index), dimensions: [hidden]))
    }

    private mutating func addGroupedQuery(
        _ index: Int, _ attention: GroupedQueryConfiguration
    ) throws(ModelFileError) {
        let hidden = configuration.hidden
        let queries = attention.heads * attention.headSize
        let keys = attention.keyValueHeads * attention.headSize
        // llama.cpp's llama family turns neighbouring rows together, folders turn halves of a head.
        let interleaves = target.ggufName == "llama"
        try add(
            .query, index, rows: queries, columns: hidden,
            interleavedHeads: interleaves ? attention.heads : 0)
        try add(
            .key, index, rows: keys, columns: hidden,
            interleavedHeads: interleaves ? attention.keyValueHeads : 0)
        try add(.value, index, rows: keys, columns: hidden)
        try add(.attentionOutput, index, rows: hidden, columns: queries)
        switch attention.norm {
        case .none: break
        case .heads:
            try add(.queryNorm, index, count: attention.headSize)
            try add(.keyNorm, index, count: attention.headSize)
        case .rows:
            try add(.queryNorm, index, count: queries)
            try add(.keyNorm, index, count: keys)
        }
        if attention.hasSinks { try add(.sinks, index, count: attention.heads) }
    }

    private mutating func addLatent(
        _ index: Int, _ attention: LatentConfiguration
    ) throws(ModelFileError) {
        let hidden = configuration.hidden
        let rows = attention.heads * (attention.plainSize + attention.rotarySize)
        if let rank = attention.queryRank {
            try add(.queryDown, index, rows: rank, columns: hidden)
            try add(.queryDownNorm, index, count: rank)
            try add(.queryUp, index, rows: rows, columns: rank)
        } else {
            try add(.query, index, rows: rows, columns: hidden)
        }
        try add(
            .compression, index, rows: attention.rank + attention.rotarySize, columns: hidden)
        try add(.compressionNorm, index, count: attention.rank)
        try addKeysAndValues(index, attention)
        try add(
            .attentionOutput, index, rows: hidden,
            columns: attention.heads * attention.valueSize)
    }

    /// One matrix in the folder, two stacks in GGUF: per head the keys transposed, and the values.
    private mutating func addKeysAndValues(
        _ index: Int, _ attention: LatentConfiguration
    ) throws(ModelFileError) {
        let (heads, rank) = (attention.heads, attention.rank)
        let (plain, value) = (attention.plainSize, attention.valueSize)
        let source = name(.latentKeysAndValues, index)
        let both = try archive.matrix(source, rows: heads * (plain + value), columns: rank)
        used.insert(source)
        let keys = (0..<heads).map { head in
            let part = both.rows(head * (plain + value)..<head * (plain + value) + plain)
            return RowSource(transposing: part)
        }
        let values = (0..<heads).map { head in
            RowSource(both.rows(head * (plain + value) + plain..<(head + 1) * (plain + value)))
        }
        tensors.append(
            ConvertedTensor(
                name: targetName(.latentKeys, index), dimensions: [heads, rank, plain],
                parts: keys))
        tensors.append(
            ConvertedTensor(
                name: targetName(.latentValues, index), dimensions: [heads, value, rank],
                parts: values))
    }

    private mutating func addDense(
        _ index: Int, _ weights: (gate: Weight, up: Weight, down: Weight), inner: Int
    ) throws(ModelFileError) {
        let hidden = configuration.hidden
        try add(weights.gate, index, rows: inner, columns: hidden)
        try add(weights.up, index, rows: inner, columns: hidden)
        try add(weights.down, index, rows: hidden, columns: inner)
    }

    /// Llama 3's scaling is a tensor in GGUF: what each pair's angle is divided by.
    private mutating func addRotaryDivisors() {
        guard let rotary = configuration.rotaries.first, let divisors = rotary.llama3Divisors else {
            return
        }
        tensors.append(ConvertedTensor(name: "rope_freqs.weight", vector: divisors))
    }

    /// A matrix with its bias, where the folder has one.
    private mutating func add(
        _ weight: Weight, _ layer: Int = 0, rows: Int, columns: Int, interleavedHeads: Int = 0
    ) throws(ModelFileError) {
        let source = name(weight, layer)
        _ = try archive.matrix(source, rows: rows, columns: columns)
        guard let entry = archive[source] else { return }
        used.insert(source)
        let target = targetName(weight, layer)
        tensors.append(
            ConvertedTensor(
                name: target, dimensions: [rows, columns],
                parts: [RowSource(entry, interleavedHeads: interleavedHeads)]))
        let bias = String(source.dropLast("weight".count) + "bias")
        guard archive[bias] != nil else { return }
        used.insert(bias)
        let numbers = try archive.vector(bias, count: rows)
        tensors.append(
            ConvertedTensor(
                name: target.dropLast("weight".count) + "bias",
                vector: interleaved(numbers, heads: interleavedHeads)))
    }

    private mutating func add(
        _ weight: Weight, _ layer: Int = 0, count: Int
    ) throws(ModelFileError) {
        let source = name(weight, layer)
        _ = try archive.vector(source, count: count)
        guard let entry = archive[source] else { return }
        used.insert(source)
        tensors.append(ConvertedTensor(entry, name: targetName(weight, layer)))
    }

    /// A bias in the order of its matrix's rows.
    private func interleaved(_ numbers: [Float], heads: Int) -> [Float] {
        guard heads > 0 else { return numbers }
        let half = numbers.count / heads / 2
        return numbers.indices.map { index in
            let (head, within) = index.quotientAndRemainder(dividingBy: 2 * half)
            return numbers[head * 2 * half + within % 2 * half + within / 2]
        }
    }

    private func name(_ weight: Weight, _ layer: Int) -> String {
        names.resolve(weight, layer: layer, in: archive)
    }

    private func targetName(_ weight: Weight, _ layer: Int) -> String {
        target.gguf.resolve(weight, layer: layer, in: archive)
    }
}

extension RowSource {
    /// The columns of a matrix in a mapped file, as rows.
    init(transposing matrix: QuantizedMatrix, from first: Int = 0, by step: Int = 1) {
        let format = matrix.format.elementsPerBlock == 1 ? matrix.format : .f32
        let rows = (matrix.columns - first + step - 1) / step
        self.init(rows: rows, columns: matrix.rows, format: format, mapped: matrix.bytes) {
            matrix.transposedColumns(from: first, by: step)
        }
    }
}

extension RotaryConfiguration {
    /// What Llama 3.1's scaling divides each pair's angle by, `[dimensions / 2]`; nil for others.
    var llama3Divisors: [Float]? {
        guard case .llama3(let factor, let low, let high, let contextLength) = scaling else {
            return nil
        }
        return (0..<dimensions / 2).map { pair in
            let angle = pow(base, -2 * Double(pair) / Double(dimensions))
            let turns = Double(contextLength) * angle / (2 * .pi)
            let share = min(max((turns - low) / (high - low), 0), 1)
            return Float(1 / ((1 - share) / factor + share))
        }
    }
}
